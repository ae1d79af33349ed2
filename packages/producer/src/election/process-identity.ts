// What a producer is called in its group, so that others can tell whether a member of it still lives. A process that was
// killed stays in the group until its session ends; one that is started on the same machine need not wait for its own ghost.
import { hostname } from 'node:os';

const NAME = /^tailwater-producer@(.+)\/(\d+)\/(\d+)$/;

export interface ProcessIdentity {
  readonly host: string;
  readonly pid: number;
  /** When the process started, in milliseconds since the epoch: a pid, above all pid 1 of a container, comes again. */
  readonly startedAtMs: number;
}

export const ownIdentity = (): ProcessIdentity => ({
  host: hostname(),
  pid: process.pid,
  startedAtMs: Math.round(performance.timeOrigin),
});

/** The client id under which it joins. */
export const memberName = ({ host, pid, startedAtMs }: ProcessIdentity): string => `tailwater-producer@${host}/${pid}/${startedAtMs}`;

/** Whose member it is, or undefined for a name that no producer gives itself. */
export function parseMemberName(name: string): ProcessIdentity | undefined {
  const [, host, pid, startedAtMs] = NAME.exec(name) ?? [];
  return host === undefined ? undefined : { host, pid: Number(pid), startedAtMs: Number(startedAtMs) };
}

/**
 * Whether the member's process is known to be gone. Only a process of the same machine can be known to be; a mistake costs
 * one hand-over and nothing else, because fencing does not depend on it.
 */
export function isDeadProcess(name: string, self: ProcessIdentity, isAlive: (pid: number) => boolean = isRunning): boolean {
  const other = parseMemberName(name);
  if (other === undefined || other.host !== self.host) return false;
  return other.pid === self.pid ? other.startedAtMs !== self.startedAtMs : !isAlive(other.pid);
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // It may belong to another user, and lives then.
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
