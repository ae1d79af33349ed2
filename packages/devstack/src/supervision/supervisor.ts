// The program's side of bin/supervisor.js: servers that never outlive the program, and a directory that goes with them.
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { DevstackError } from '../errors.js';
import { type Deferred, deferred } from '../support/deferred.js';
import type { ProcessSpec, SupervisorMessage, SupervisorRequest } from './protocol.js';

const SCRIPT = fileURLToPath(new URL('../../bin/supervisor.js', import.meta.url));

/** How a supervised process ended. */
export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A running child of the supervisor. */
export interface SupervisedProcess {
  readonly pid: number;
  /** Resolves when the process has ended; never rejects. */
  readonly exited: Promise<ProcessExit>;
  /** Sends a signal; without effect on a process that has ended. */
  signal(signal: NodeJS.Signals): Promise<void>;
}

type Child = ChildProcessByStdio<Writable, Readable, null>;
type Request = SupervisorRequest extends infer R ? (R extends SupervisorRequest ? Omit<R, 'id'> : never) : never;

interface Answer {
  readonly done: (pid: number) => void;
  readonly failed: (error: Error) => void;
}

export class Supervisor implements AsyncDisposable {
  readonly directory: string;
  readonly #child: Child;
  readonly #pending = new Map<number, Answer>();
  readonly #exits = new Map<number, Deferred<ProcessExit>>();
  #lastId = 0;
  #gone = false;

  private constructor(child: Child, directory: string, lines: AsyncIterator<string>) {
    this.#child = child;
    this.directory = directory;
    void this.#listen(lines);
  }

  /**
   * Starts a supervisor with an empty directory `$TMPDIR/tailwater-<name>-XXXXXX`.
   *
   * @throws {DevstackError} when the supervisor cannot run or make the directory
   */
  static async launch(name: string): Promise<Supervisor> {
    // Its own session: Ctrl-C reaches the program, which stops its servers in order, and not the servers.
    const child = spawn(process.execPath, [SCRIPT, name], { detached: true, stdio: ['pipe', 'pipe', 'ignore'], env: withoutNodeOptions() });
    child.stdin.on('error', () => undefined); // a supervisor that is gone is noticed by its stdout
    const failure = once(child, 'error').then(([error]) => Promise.reject(error as Error));
    failure.catch(() => undefined);
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const first = await Promise.race([lines.next(), failure]);
    if (first.done === true) throw new DevstackError(`The supervisor of ${name} ended at once; is the temporary directory writable?`);
    const message = JSON.parse(first.value) as SupervisorMessage;
    if (message.event !== 'ready') throw new DevstackError(`The supervisor of ${name} said ${first.value}`);
    return new Supervisor(child, message.directory, lines);
  }

  get pid(): number {
    return this.#child.pid as number; // it has said that it is ready
  }

  /** @throws {DevstackError} when the command cannot be run */
  spawn(spec: ProcessSpec): Promise<SupervisedProcess> {
    return this.#request({ op: 'spawn', spec }, (pid) => {
      const exit = deferred<ProcessExit>();
      this.#exits.set(pid, exit);
      return { pid, exited: exit.promise, signal: (signal) => this.#request({ op: 'signal', pid, signal }, () => undefined) };
    });
  }

  /** Kills what is running, removes the directory and returns when both are done. */
  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, 'exit');
    this.#child.stdin.end();
    await exit;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  // `done` runs while its line is read, before the next one is: an exit that follows at once finds what it set up.
  #request<T>(request: Request, done: (pid: number) => T): Promise<T> {
    const id = ++this.#lastId;
    const answer = deferred<T>();
    this.#pending.set(id, { done: (pid) => answer.resolve(done(pid)), failed: answer.reject });
    if (this.#gone) this.#abandon();
    else this.#child.stdin.write(`${JSON.stringify({ ...request, id })}\n`);
    return answer.promise;
  }

  async #listen(lines: AsyncIterator<string>): Promise<void> {
    for (let line = await lines.next(); line.done !== true; line = await lines.next()) this.#receive(JSON.parse(line.value));
    this.#gone = true;
    this.#abandon();
  }

  #receive(message: SupervisorMessage): void {
    switch (message.event) {
      case 'done':
        this.#pending.get(message.id)?.done(message.pid);
        this.#pending.delete(message.id);
        break;
      case 'failed':
        this.#pending.get(message.id)?.failed(new DevstackError(message.message));
        this.#pending.delete(message.id);
        break;
      case 'exited':
        this.#exits.get(message.pid)?.resolve({ code: message.code, signal: message.signal });
        this.#exits.delete(message.pid); // the pid may come back
        break;
    }
  }

  // The supervisor is gone. It has cleaned up, unless it was killed itself: then its children are left, which are of its
  // process group, and so is the directory.
  #abandon(): void {
    for (const answer of this.#pending.values()) answer.failed(new DevstackError('The supervisor has ended'));
    this.#pending.clear();
    killGroup(this.#child.pid);
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    for (const exit of this.#exits.values()) exit.resolve({ code: null, signal: 'SIGKILL' });
    this.#exits.clear();
  }
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // the group is empty, as it should be
  }
}

// A test runner's own NODE_OPTIONS (loaders, coverage) are not for the supervisor.
function withoutNodeOptions(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _, ...env } = process.env;
  return env;
}
