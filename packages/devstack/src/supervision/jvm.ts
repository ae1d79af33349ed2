// The command line of a server that runs on a JVM.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { JavaProgram } from '../artifacts/artifacts.js';
import type { ProcessSpec } from './protocol.js';

export interface JavaCommand {
  readonly program: JavaProgram;
  readonly heapMb: number;
  /** Flags of this server alone. */
  readonly flags?: readonly string[];
  readonly mainClass: string;
  readonly args: readonly string[];
}

/** Flags for every server, separated by blanks. Tests say here that servers live for seconds only. */
const OPTIONS_VARIABLE = 'TAILWATER_STACK_JAVA_OPTIONS';

/** The arguments of `java`. Makes the folder for temporary files inside the server's own. */
export async function javaArgs(command: JavaCommand, directory: string): Promise<string[]> {
  const temporary = join(directory, 'tmp');
  await mkdir(temporary, { recursive: true });
  return [
    `-Xmx${command.heapMb}m`,
    '-XX:+UseSerialGC', // the collector that takes the least from two cores
    // Nothing outside the server's directory: no /tmp/hsperfdata_<user>, no native libraries in /tmp.
    '-XX:-UsePerfData',
    `-Djava.io.tmpdir=${temporary}`,
    '-Djava.awt.headless=true',
    ...(command.flags ?? []),
    ...(process.env[OPTIONS_VARIABLE] ?? '').split(' ').filter((flag) => flag !== ''),
    '-cp',
    command.program.classPath,
    command.mainClass,
    ...command.args,
  ];
}

export async function javaProcess(command: JavaCommand, directory: string, logFile: string): Promise<ProcessSpec> {
  return { command: command.program.java, args: await javaArgs(command, directory), logFile };
}
