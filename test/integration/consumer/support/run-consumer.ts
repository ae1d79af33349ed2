// Runs a `consumer` command line in this process, as its users see it: arguments in, text or a coded error out.
import { Writable } from 'node:stream';
import { createCli } from '@tailwater/runtime';
import { discardLettersCommand } from '../../../../packages/consumer/src/cli/dead-letters/discard-command.js';
import { listLettersCommand } from '../../../../packages/consumer/src/cli/dead-letters/list-command.js';
import { retryLettersCommand } from '../../../../packages/consumer/src/cli/dead-letters/retry-command.js';
import { showLetterCommand } from '../../../../packages/consumer/src/cli/dead-letters/show-command.js';
import { repairCommand } from '../../../../packages/consumer/src/cli/repair-command.js';
import { replayCommand } from '../../../../packages/consumer/src/cli/replay-command.js';
import { startCommand } from '../../../../packages/consumer/src/cli/start-command.js';
import { statusCommand } from '../../../../packages/consumer/src/cli/status-command.js';

const cli = createCli({
  name: 'consumer',
  description: 'test',
  commands: [
    startCommand,
    statusCommand,
    replayCommand,
    repairCommand,
    listLettersCommand,
    showLetterCommand,
    retryLettersCommand,
    discardLettersCommand,
  ],
});

class Output extends Writable {
  text = '';

  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

/** Its log goes nowhere. */
export async function runConsumer(args: readonly string[], signal: AbortSignal = new AbortController().signal): Promise<string> {
  const stdout = new Output();
  const io = { env: {}, stdout: stdout as unknown as NodeJS.WriteStream, stderr: new Output() as unknown as NodeJS.WriteStream, signal };
  await cli.execute([...args, '--log-level', 'silent'], io);
  return stdout.text;
}
