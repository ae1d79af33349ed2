// A MongoDB with an oplog: a replica set of one or three, or a standalone mongod.
import { setTimeout as sleep } from 'node:timers/promises';
import { type Document, MongoClient } from 'mongodb';
import { DevstackError } from '../errors.js';
import type { Server } from '../supervision/server.js';
import type { Supervisor } from '../supervision/supervisor.js';
import { waitFor } from '../support/wait-for.js';
import { type MongoMember, tlsOptions } from './member.js';
import type { MongoCredentials, MongoTls } from './options.js';

const ELECTION_TIMEOUT_MS = 120_000;
const CONNECT_TIMEOUT_MS = 30_000;
const GOODBYE_TIMEOUT_MS = 1_000;

export interface MongoParts {
  readonly members: readonly MongoMember[];
  readonly supervisor: Supervisor;
  readonly replicaSet: string | undefined;
  readonly credentials: MongoCredentials | undefined;
  readonly tls: MongoTls | undefined;
}

/** What is done to the whole is done to every member; `members` and `primary()` give single ones. */
export class Mongo implements Server {
  readonly name = 'mongo';
  readonly members: readonly MongoMember[];
  /** Undefined for a standalone mongod. */
  readonly replicaSet: string | undefined;
  /** Undefined without `auth`. */
  readonly credentials: MongoCredentials | undefined;
  readonly #supervisor: Supervisor;
  readonly #tls: MongoTls | undefined;
  #client: MongoClient | undefined;

  constructor(parts: MongoParts) {
    this.members = parts.members;
    this.replicaSet = parts.replicaSet;
    this.credentials = parts.credentials;
    this.#supervisor = parts.supervisor;
    this.#tls = parts.tls;
  }

  /** Names every member and the replica set; with `auth`, the user root. */
  get uri(): string {
    return this.uriFor(this.credentials);
  }

  /** The same for another user, or without one. */
  uriFor(user: MongoCredentials | undefined): string {
    const url = new URL(
      `mongodb://${user === undefined ? '' : `${encodeURIComponent(user.username)}:${encodeURIComponent(user.password)}@`}host/`,
    );
    if (this.replicaSet !== undefined) url.searchParams.set('replicaSet', this.replicaSet);
    else url.searchParams.set('directConnection', 'true');
    if (user !== undefined) url.searchParams.set('authSource', 'admin');
    return url.href.replace('host/', `${this.members.map((member) => member.host).join(',')}/`);
  }

  get port(): number {
    return this.#first.port;
  }

  get pid(): number | undefined {
    return this.#first.pid;
  }

  get logFile(): string {
    return this.#first.logFile;
  }

  /** A client that is connected as root, shared by all callers and closed by `stop`. */
  async client(): Promise<MongoClient> {
    this.#client ??= new MongoClient(this.uri, { serverSelectionTimeoutMS: CONNECT_TIMEOUT_MS, ...tlsOptions(this.#tls) });
    return this.#client.connect();
  }

  /** The member that takes writes; waits for an election to end. */
  async primary(): Promise<MongoMember> {
    return waitFor(() => this.#findPrimary(), { describe: 'a writable primary', timeoutMs: ELECTION_TIMEOUT_MS }) as Promise<MongoMember>;
  }

  /**
   * Has the primary step down and waits until there is a primary again. Three members elect another one (returned); a
   * single one returns after `seconds`.
   */
  async stepDown(seconds = this.members.length === 1 ? 1 : 60): Promise<MongoMember> {
    const before = await this.primary();
    // A single member has no other to hand over to, which MongoDB refuses unless forced.
    const force = this.members.length === 1;
    await this.#adminCommand(before, { replSetStepDown: seconds, secondaryCatchUpPeriodSecs: force ? 0 : Math.min(10, seconds), force });
    if (force) return this.primary();
    return waitFor(() => this.#findPrimary(), {
      describe: `a primary other than ${before.name}`,
      until: (member) => member !== undefined && member !== before,
      timeoutMs: ELECTION_TIMEOUT_MS,
    }) as Promise<MongoMember>;
  }

  /** Changes the size of every member's oplog. MongoDB takes 990 megabytes at least; for less start with `oplogSizeMb`. */
  async resizeOplog(megabytes: number): Promise<void> {
    for (const member of this.members) await this.#adminCommand(member, { replSetResizeOplog: 1, size: megabytes });
  }

  async start(): Promise<void> {
    await Promise.all(this.members.filter((member) => member.pid === undefined).map((member) => member.start()));
    if (this.replicaSet !== undefined) await this.primary();
  }

  async shutdown(): Promise<void> {
    await this.#each((member) => member.shutdown());
  }

  async restart(): Promise<void> {
    await this.shutdown();
    await this.start();
  }

  async kill9(): Promise<void> {
    await this.#each((member) => member.kill9());
  }

  async pause(): Promise<void> {
    await this.#each((member) => member.pause());
  }

  async resume(): Promise<void> {
    await this.#each((member) => member.resume());
  }

  async stop(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    // First, because a client tells its server goodbye; but servers that are down or frozen do not answer that.
    if (client !== undefined) await Promise.race([client.close(), sleep(GOODBYE_TIMEOUT_MS, undefined, { ref: false })]);
    await this.#supervisor.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  get #first(): MongoMember {
    const first = this.members[0];
    if (first === undefined) throw new DevstackError('A MongoDB has at least one member');
    return first;
  }

  async #each(work: (member: MongoMember) => Promise<void>): Promise<void> {
    await Promise.all(this.members.map(work));
  }

  async #findPrimary(): Promise<MongoMember | undefined> {
    for (const member of this.members) {
      if (member.pid === undefined) continue;
      const hello = await member.hello().catch(() => undefined); // one that is frozen or starting is no primary
      if (hello?.['isWritablePrimary'] === true) return member;
    }
    return undefined;
  }

  async #adminCommand(member: MongoMember, command: Document): Promise<Document> {
    const user = this.credentials;
    const login = user === undefined ? '' : `${user.username}:${user.password}@`;
    return member.withClient((client) => client.db('admin').command(command), `mongodb://${login}${member.host}/`);
  }
}
