// Runs a `consumer` command line in this process, as its users see it: arguments in, text or a coded error out.
import { Writable } from 'node:stream';
import { createCli } from '@tailwater/runtime';
import { consumerProgram } from '#consumer/cli/program.js';

const cli = createCli(consumerProgram);

class Output extends Writable {
  text = '';

  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

/** Its log goes nowhere, unless it is asked for. */
export async function runConsumer(args: readonly string[], signal: AbortSignal = new AbortController().signal): Promise<string> {
  const stdout = new Output();
  const io = { env: {}, stdout: stdout as unknown as NodeJS.WriteStream, stderr: new Output() as unknown as NodeJS.WriteStream, signal };
  await cli.execute(args.includes('--log-level') ? args : [...args, '--log-level', 'silent'], io);
  return stdout.text;
}
