// The project's own commands as processes beside the servers: started through their bins, watched through their status
// servers, and ended with the process that started them.
import { fileURLToPath } from 'node:url';
import { request } from 'undici';
import type { ProcessSpec } from '../supervision/protocol.js';
import { SupervisedServer } from '../supervision/server.js';
import { Supervisor } from '../supervision/supervisor.js';
import { freePort } from '../support/free-port.js';

const bin = (name: 'producer' | 'consumer'): string => fileURLToPath(new URL(`../../../${name}/bin/${name}.js`, import.meta.url));

export class PipelineProcess extends SupervisedServer {
  readonly #args: readonly string[];
  readonly #bin: string;

  private constructor(kind: 'producer' | 'consumer', args: readonly string[], port: number, supervisor: Supervisor) {
    super(kind, port, supervisor);
    this.#bin = bin(kind);
    this.#args = args;
  }

  /** Starts `producer start` or `consumer start` with these arguments, and returns when its status server answers. */
  static async start(kind: 'producer' | 'consumer', args: readonly string[]): Promise<PipelineProcess> {
    const process = new PipelineProcess(kind, args, await freePort(), await Supervisor.launch(kind));
    try {
      await process.start();
    } catch (error) {
      await process.stop();
      throw error;
    }
    return process;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** What its status server says. */
  async status<T>(): Promise<T> {
    const response = await request(`${this.url}/status`, { headersTimeout: 5000, bodyTimeout: 5000 });
    return (await response.body.json()) as T;
  }

  protected override command(): ProcessSpec {
    const args = [this.#bin, 'start', ...this.#args, '--status-port', String(this.port), '--log-format', 'json'];
    return { command: process.execPath, args, logFile: this.logFile };
  }

  protected override async isReady(): Promise<boolean> {
    const response = await request(`${this.url}/healthz`, { headersTimeout: 1000, bodyTimeout: 1000 });
    await response.body.dump();
    return response.statusCode === 200;
  }
}
