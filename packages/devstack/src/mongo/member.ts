// One mongod of a replica set, or a standalone one.
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Document, MongoClient, type MongoClientOptions } from 'mongodb';
import type { ProcessSpec } from '../supervision/protocol.js';
import { SupervisedServer } from '../supervision/server.js';
import type { Supervisor } from '../supervision/supervisor.js';
import type { MongoTls } from './options.js';

const PROBE_TIMEOUT_MS = 5_000;

/** The driver's options for a server that speaks TLS. */
export const tlsOptions = (tls: MongoTls | undefined): MongoClientOptions =>
  tls === undefined ? {} : { tls: true, tlsCAFile: tls.ca, tlsCertificateKeyFile: tls.both };

export interface MemberOptions {
  readonly name: string;
  readonly port: number;
  readonly supervisor: Supervisor;
  readonly mongod: string;
  readonly args: readonly string[];
  readonly tls: MongoTls | undefined;
  /** Whether it must be a primary or a secondary before it counts as started: it has been initiated. */
  readonly initiated: () => boolean;
}

export class MongoMember extends SupervisedServer {
  readonly #options: MemberOptions;

  constructor(options: MemberOptions) {
    super(options.name, options.port, options.supervisor);
    this.#options = options;
  }

  /** `127.0.0.1:<port>`, as the replica set's configuration names it. */
  get host(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Takes its data away while it is down: the next start sets it up anew from another member, with an oplog that begins there. */
  async forget(): Promise<void> {
    await rm(this.#data, { recursive: true, force: true });
  }

  get #data(): string {
    return join(this.supervisor.directory, this.name);
  }

  /** The answer to `hello` from this very member; needs no credentials. */
  async hello(): Promise<Document> {
    return this.withClient((client) => client.db('admin').command({ hello: 1 }));
  }

  /** Runs something on a connection to this very member, whatever its state, and closes it. */
  async withClient<T>(work: (client: MongoClient) => Promise<T>, url = `mongodb://${this.host}/`): Promise<T> {
    const timeouts = { serverSelectionTimeoutMS: PROBE_TIMEOUT_MS, connectTimeoutMS: PROBE_TIMEOUT_MS, socketTimeoutMS: PROBE_TIMEOUT_MS };
    const client = new MongoClient(url, { directConnection: true, ...tlsOptions(this.#options.tls), ...timeouts });
    try {
      return await work(client);
    } finally {
      await client.close();
    }
  }

  protected override async command(): Promise<ProcessSpec> {
    const data = this.#data;
    await mkdir(data, { recursive: true });
    const own = [
      '--port',
      String(this.port),
      '--bind_ip',
      '127.0.0.1',
      '--dbpath',
      data,
      '--nounixsocket',
      '--wiredTigerCacheSizeGB',
      '0.5',
    ];
    return { command: this.#options.mongod, args: [...own, ...this.#options.args], logFile: this.logFile };
  }

  protected override async isReady(): Promise<boolean> {
    const hello = await this.hello();
    return (
      !this.#options.initiated() || hello['isWritablePrimary'] === true || hello['secondary'] === true || hello['arbiterOnly'] === true
    );
  }
}
