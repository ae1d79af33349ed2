// Runs one of the commands, as a shell would: to its end, or until it is told to stop.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningCommand extends Disposable {
  readonly pid: number;
  /** What it has said so far. */
  readonly output: Readonly<Omit<CommandResult, 'code'>>;
  readonly ended: Promise<CommandResult>;
  /** Asks it to stop, and waits for that. */
  stop(): Promise<CommandResult>;
}

const bin = (name: string): string => fileURLToPath(new URL(`../../packages/${name}/bin/${name}.js`, import.meta.url));

/** Starts `producer …` or `consumer …`. */
export function startCommand(
  name: 'producer' | 'consumer',
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  timeout?: number,
): RunningCommand {
  const child: ChildProcess = spawn(process.execPath, [bin(name), ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    killSignal: 'SIGKILL',
    ...(timeout === undefined ? {} : { timeout }),
  });
  const output = { stdout: '', stderr: '' };
  child.stdout?.on('data', (part) => {
    output.stdout += String(part);
  });
  child.stderr?.on('data', (part) => {
    output.stderr += String(part);
  });
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, ...output }));
  const stop = (signal: NodeJS.Signals): Promise<CommandResult> => {
    child.kill(signal);
    return ended;
  };
  return { pid: child.pid ?? 0, output, ended, stop: () => stop('SIGTERM'), [Symbol.dispose]: () => void child.kill('SIGKILL') };
}

/** Runs `producer …` or `consumer …`; one that has not ended after a minute is killed, and its code is null. */
export const runCommand = (name: 'producer' | 'consumer', args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<CommandResult> =>
  startCommand(name, args, env, 60_000).ended;
