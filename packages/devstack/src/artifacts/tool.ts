// Runs a tool of the machine (mvn, javac, python3) to its end.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { DevstackError, MissingPrerequisiteError } from '../errors.js';

const COMPLAINTS_SHOWN = 2;
const LAST_LINES_SHOWN = 5;

export interface ToolRun {
  /** Said when there is no such command: what to install. */
  readonly install: string;
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Runs a command and returns what it wrote.
 *
 * @throws {MissingPrerequisiteError} when there is no such command
 * @throws {DevstackError} with its first complaints, when it fails
 */
export async function runTool(command: string, args: readonly string[], run: ToolRun): Promise<string> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...run.env } });
  const chunks: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => void chunks.push(chunk));
  const [code, signal] = await closed(child, command, run);
  const output = Buffer.concat(chunks).toString('utf8').trim();
  if (code !== 0) throw new DevstackError(`${command} ${args.join(' ')} ended with ${signal ?? code}: ${excerpt(output)}`);
  return output;
}

// Tools complain first and give advice at length afterwards.
function excerpt(output: string): string {
  const lines = output.split('\n');
  const complaints = lines.filter((line) => /error|exception/i.test(line) && !/^warning/i.test(line));
  return (complaints.length > 0 ? complaints.slice(0, COMPLAINTS_SHOWN) : lines.slice(-LAST_LINES_SHOWN)).join('\n');
}

async function closed(child: ReturnType<typeof spawn>, command: string, run: ToolRun): Promise<[number | null, NodeJS.Signals | null]> {
  try {
    return (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new MissingPrerequisiteError(`${command} was not found: ${run.install}`, { cause: error });
  }
}
