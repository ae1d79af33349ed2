// What every server has: it can be stopped, killed, paused and started again on the same port and the same data.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DevstackError, ServerStartError } from '../errors.js';
import { isFree } from '../support/free-port.js';
import { logTail } from '../support/log-tail.js';
import { waitFor } from '../support/wait-for.js';
import type { ProcessSpec } from './protocol.js';
import type { ProcessExit, SupervisedProcess, Supervisor } from './supervisor.js';

// Ceilings, not waits: a machine that is busy with other things may take this long.
const START_TIMEOUT_MS = 120_000;
const SHUTDOWN_TIMEOUT_MS = 30_000;

/** A real server on 127.0.0.1 that ends with the program that started it. */
export interface Server extends AsyncDisposable {
  readonly name: string;
  readonly port: number;
  /** Its process id; undefined while it is down. */
  readonly pid: number | undefined;
  readonly logFile: string;
  /** Starts a server that is down, on its old port and data, and returns when it answers. */
  start(): Promise<void>;
  /** Ends it as an operator would (SIGTERM) and keeps its data for `start`. */
  shutdown(): Promise<void>;
  /** `shutdown`, then `start`. */
  restart(): Promise<void>;
  /** Ends it as a power cut would (SIGKILL) and keeps its data for `start`. */
  kill9(): Promise<void>;
  /** Freezes it (SIGSTOP): connections stay open and nothing answers. */
  pause(): Promise<void>;
  /** Goes on after `pause` (SIGCONT). */
  resume(): Promise<void>;
  /** Ends it for good and removes its data. May be called twice. */
  stop(): Promise<void>;
}

export abstract class SupervisedServer implements Server {
  readonly name: string;
  readonly port: number;
  protected readonly supervisor: Supervisor;
  #process: SupervisedProcess | undefined;

  constructor(name: string, port: number, supervisor: Supervisor) {
    this.name = name;
    this.port = port;
    this.supervisor = supervisor;
  }

  /** The command line, made anew for every start. */
  protected abstract command(): ProcessSpec | Promise<ProcessSpec>;

  /** Asks the server, once, whether it can do its work; false or an error means not yet. */
  protected abstract isReady(): Promise<boolean>;

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  get logFile(): string {
    return join(this.supervisor.directory, `${this.name}.log`);
  }

  async start(): Promise<void> {
    if (this.#process !== undefined) throw new DevstackError(`${this.name} is running`);
    if (!(await isFree(this.port)))
      throw new ServerStartError(`Port ${this.port} is in use, and ${this.name} is to listen on it: choose another one`);
    const child = await this.supervisor.spawn(await this.command());
    this.#process = child;
    void child.exited.then(() => {
      if (this.#process === child) this.#process = undefined;
    });
    try {
      await this.#untilReady(child);
    } catch (error) {
      await this.kill9();
      throw error;
    }
  }

  async shutdown(): Promise<void> {
    const child = this.#process;
    if (child === undefined) return;
    await child.signal('SIGTERM');
    await child.signal('SIGCONT'); // a paused process gets its SIGTERM only then
    const overdue = new AbortController();
    const patience = sleep(SHUTDOWN_TIMEOUT_MS, undefined, { signal: overdue.signal }).catch(() => undefined);
    const ended = await Promise.race([child.exited, patience]);
    overdue.abort();
    if (ended === undefined) await this.kill9();
  }

  async restart(): Promise<void> {
    await this.shutdown();
    await this.start();
  }

  async kill9(): Promise<void> {
    const child = this.#process;
    if (child === undefined) return;
    await child.signal('SIGKILL');
    await child.exited;
  }

  async pause(): Promise<void> {
    const child = this.#running();
    await child.signal('SIGSTOP');
    // On a busy machine a thread may still answer a request for a moment.
    await waitFor(() => isStopped(child.pid), { describe: `${this.name} to be frozen`, timeoutMs: 10_000, intervalMs: 5 });
  }

  async resume(): Promise<void> {
    await this.#running().signal('SIGCONT');
  }

  async stop(): Promise<void> {
    await this.supervisor.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #running(): SupervisedProcess {
    if (this.#process === undefined) throw new DevstackError(`${this.name} is not running`);
    return this.#process;
  }

  async #untilReady(child: SupervisedProcess): Promise<void> {
    const ended = new AbortController();
    void child.exited.then((exit) => ended.abort(new ServerStartError(`${this.name} ended while it was starting (${describeExit(exit)})`)));
    try {
      await waitFor(() => this.isReady(), { describe: `${this.name} to answer`, timeoutMs: START_TIMEOUT_MS, signal: ended.signal });
    } catch (error) {
      const reason = error instanceof ServerStartError ? error : (ended.signal.reason ?? error);
      const message = `${(reason as Error).message}. The end of its log:\n${await logTail(this.logFile)}`;
      throw new ServerStartError(message, { cause: error });
    }
  }
}

/** Whether every thread of the process is stopped, as far as the system tells: proc(5). */
async function isStopped(pid: number): Promise<boolean> {
  const tasks = `/proc/${pid}/task`;
  const threads = await readdir(tasks).catch(() => []);
  const states = await Promise.all(threads.map((thread) => readFile(join(tasks, thread, 'stat'), 'utf8').catch(() => '')));
  // Behind the name, which may hold anything, in parentheses.
  return states.every((stat) => stat === '' || 'TtZX'.includes(stat[stat.lastIndexOf(')') + 2] ?? 'T'));
}

function describeExit(exit: ProcessExit): string {
  return exit.signal === null ? `exit code ${exit.code}` : `signal ${exit.signal}`;
}
