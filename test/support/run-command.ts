// Runs one of the commands to its end, as a shell would.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const bin = (name: string): string => fileURLToPath(new URL(`../../packages/${name}/bin/${name}.js`, import.meta.url));

/** Runs `producer …` or `consumer …`; one that has not ended after a minute is killed, and its code is null. */
export async function runCommand(
  name: 'producer' | 'consumer',
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<CommandResult> {
  const child = spawn(process.execPath, [bin(name), ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 60_000,
    killSignal: 'SIGKILL',
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (part) => {
    output.stdout += String(part);
  });
  child.stderr.on('data', (part) => {
    output.stderr += String(part);
  });
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, ...output };
}
