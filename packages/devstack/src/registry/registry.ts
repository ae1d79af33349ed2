// A schema registry: Apicurio, which answers as Confluent's does. What is registered is in memory, and gone after a restart.
import { Artifacts, type JavaProgram } from '../artifacts/artifacts.js';
import { javaProcess } from '../supervision/jvm.js';
import type { ProcessSpec } from '../supervision/protocol.js';
import { SupervisedServer } from '../supervision/server.js';
import { Supervisor } from '../supervision/supervisor.js';
import { freePort } from '../support/free-port.js';

const PROBE_TIMEOUT_MS = 5_000;
const HEAP_MB = 512;

export interface RegistryOptions {
  /** A free port by default. */
  readonly port?: number;
  readonly artifacts?: Artifacts;
}

export class Registry extends SupervisedServer {
  readonly #program: JavaProgram;

  constructor(program: JavaProgram, port: number, supervisor: Supervisor) {
    super('registry', port, supervisor);
    this.#program = program;
  }

  /** For `--schema-registry`. */
  get url(): string {
    return `http://127.0.0.1:${this.port}/apis/ccompat/v7`;
  }

  protected override command(): Promise<ProcessSpec> {
    const flags = ['-Dquarkus.http.host=127.0.0.1', `-Dquarkus.http.port=${this.port}`, '-Dquarkus.http.access-log.enabled=false'];
    const program = { program: this.#program, heapMb: HEAP_MB, mainClass: 'io.quarkus.bootstrap.runner.QuarkusEntryPoint', args: [] };
    return javaProcess({ ...program, flags }, this.supervisor.directory, this.logFile);
  }

  protected override async isReady(): Promise<boolean> {
    const response = await fetch(`${this.url}/schemas/types`, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) });
    await response.body?.cancel();
    return response.ok;
  }
}

/**
 * Starts Apicurio Registry 3.3.3 and returns when it answers.
 *
 * @throws {MissingPrerequisiteError} when Java 21 or Maven is missing
 * @throws {ServerStartError} with the end of the log, when it does not come up
 */
export async function startRegistry(options: RegistryOptions = {}): Promise<Registry> {
  const program = await (options.artifacts ?? new Artifacts()).apicurio();
  const supervisor = await Supervisor.launch('registry');
  try {
    const registry = new Registry(program, options.port ?? (await freePort()), supervisor);
    await registry.start();
    return registry;
  } catch (error) {
    await supervisor.close();
    throw error;
  }
}
