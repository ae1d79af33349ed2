// The MongoDB target: the same BSON under the same `_id`, by one `update` and one `delete` command per namespace and batch,
// unordered across keys. The documents travel as the bytes that the producer read (promise C).

import {
  describePrivileges,
  errorCodes,
  missingPrivileges,
  mongoAccess,
  redactAddress,
  TailwaterError,
  withConnectionString,
} from '@tailwater/runtime';
import { formatNamespace, type Namespace } from '@tailwater/schema';
import { MongoClient, MongoServerError } from 'mongodb';
import type { Change } from '../../changes/change.js';
import type { TargetAccess } from '../access.js';
import { connectWithin } from '../connect-within.js';
import type { Inventory } from '../inventory.js';
import { APPLIED, type ChangeResult, SUPERSEDED, TARGET_API_VERSION, type Target } from '../target.js';
import { BucketFiles } from './bucket-files.js';
import { Collations, holdsText } from './collations.js';
import { type Command, Commands, FIELDS } from './commands.js';
import { sectionCarrier } from './document-sequence.js';
import { connectFailure, isUnauthorized, mongoFailure, placeRefusal } from './failures.js';
import { CollectionInventory } from './inventory.js';
import type { MongoSettings } from './options.js';
import { DUPLICATE_KEY, foldedIds, rejected, type WriteError } from './write-errors.js';

export interface MongoTargetOptions extends MongoSettings, TargetAccess {
  /** `mongodb://user:password@host:27017/?replicaSet=rs0` */
  readonly url: string;
  /** How long, in milliseconds, to try to reach the server at the start. */
  readonly connectTimeoutMs: number;
  /** How long, in milliseconds, a command may take before its connection counts as lost. */
  readonly requestTimeoutMs: number;
}

/** Short, so that the status soon says that the server is gone; callers that wait longer try again. */
const SELECTION_TIMEOUT_MS = 3_000;

/** What an upsert and a delete need. */
const WRITE_ACTIONS = ['insert', 'update', 'remove'];
/** What the files of a bucket need. */
const FILE_ACTIONS = [...WRITE_ACTIONS, 'find', 'createIndex'];
const READ_ACTIONS = ['find'];

export class MongoTarget implements Target {
  readonly apiVersion = TARGET_API_VERSION;
  readonly kind = 'mongo';
  readonly #url: string;
  readonly #address: string;
  readonly #connectTimeoutMs: number;
  readonly #client: MongoClient;
  readonly #carry = sectionCarrier();
  #mayApply = (): boolean => true;
  readonly #commands: Commands;
  readonly #files: BucketFiles;
  readonly #guarded: boolean;
  readonly #collations: Collations;
  readonly #writeConcern: string | number;

  /** @throws TailwaterError TW1308 when the URL is malformed, TW1314 when the installed driver is not the tested one */
  constructor(options: MongoTargetOptions) {
    this.#url = options.url;
    this.#address = redactAddress(options.url);
    this.#connectTimeoutMs = options.connectTimeoutMs;
    this.#commands = new Commands(options);
    this.#guarded = options.versionField !== undefined;
    this.#writeConcern = options.writeConcern ?? 'majority';
    const make = (): MongoClient =>
      new MongoClient(options.url, {
        ...mongoAccess(options.user, options.tls),
        appName: 'tailwater-consumer',
        serverSelectionTimeoutMS: Math.min(options.connectTimeoutMs, SELECTION_TIMEOUT_MS),
        connectTimeoutMS: Math.min(options.connectTimeoutMs, SELECTION_TIMEOUT_MS),
        socketTimeoutMS: options.requestTimeoutMs,
      });
    const malformed = (cause: unknown): TailwaterError =>
      new TailwaterError(errorCodes.MALFORMED_TARGET_URL, { address: this.#address }, { cause });
    this.#client = withConnectionString(options.url, make, malformed);
    this.#collations = new Collations(this.#client);
    const run = (command: Command, signal: AbortSignal) => this.#run(command, signal);
    const failure = (error: unknown, collections: readonly Namespace[]) => this.#failure(error, collections, FILE_ACTIONS);
    this.#files = new BucketFiles({ client: this.#client, commands: this.#commands, run, failure, versionField: options.versionField });
  }

  nameOf(namespace: Namespace): string {
    return formatNamespace(namespace);
  }

  connect(signal: AbortSignal): Promise<void> {
    return connectWithin(this.#connectTimeoutMs, signal, async () => {
      try {
        // Explicitly: a client that failed to connect by itself, on its first command, does not try again.
        await this.#client.connect();
        await this.#client.db('admin').command({ ping: 1 }, { signal });
      } catch (error) {
        throw connectFailure(error, this.#address, this.#url);
      }
    });
  }

  /** Of the primary: no other member takes changes. */
  async ping(signal: AbortSignal): Promise<void> {
    await this.#client.db('admin').command({ ping: 1 }, { signal });
  }

  guard(mayApply: () => boolean): void {
    this.#mayApply = mayApply;
  }

  async applyBatch(changes: readonly Change[], signal: AbortSignal): Promise<readonly ChangeResult[]> {
    const files = changes.filter(({ file }) => file !== undefined);
    if (files.length === 0) return this.#applyDocuments(changes, signal);
    const documents = changes.filter(({ file }) => file === undefined);
    const ofDocuments = documents.length === 0 ? [] : await this.#applyDocuments(documents, signal);
    const ofFiles = (await this.#files.apply(files, signal)).values();
    const rest = ofDocuments.values();
    return changes.map(({ file }) => (file === undefined ? rest : ofFiles).next().value as ChangeResult);
  }

  /** What would go to a place that cannot tell its id from another is not sent: the place waits until it is made anew. */
  async #applyDocuments(changes: readonly Change[], signal: AbortSignal): Promise<readonly ChangeResult[]> {
    const folding = await this.#collations.foldingOf(changes, signal);
    if (folding.size === 0) return this.#applyAll(changes, signal);
    const isHeld = ({ namespace, key }: Change): boolean => folding.has(namespace) && holdsText(key);
    const sent = changes.filter((change) => !isHeld(change));
    const results = (sent.length === 0 ? [] : await this.#applyAll(sent, signal)).values();
    return changes.map((change) => (isHeld(change) ? foldedIds(change.namespace) : (results.next().value as ChangeResult)));
  }

  async #applyAll(changes: readonly Change[], signal: AbortSignal): Promise<readonly ChangeResult[]> {
    const results = await this.#write(changes, signal);
    if (!this.#guarded) return results;
    // A guarded upsert that matches nothing tries to insert, and fails where a document is. That one is newer, or was inserted by
    // another consumer at the same moment: then a second attempt matches it.
    const clashed = changes.filter((_, index) => isClash(results[index]));
    if (clashed.length === 0) return results;
    const again = (await this.#write(clashed, signal)).values();
    return results.map((result) => {
      if (!isClash(result)) return result;
      const second = again.next().value ?? result;
      return isClash(second) ? SUPERSEDED : second;
    });
  }

  inventory(namespace: Namespace): Promise<Inventory> {
    const apply = (changes: readonly Change[], signal: AbortSignal) => this.applyBatch(changes, signal);
    const failure = (error: unknown) => this.#failure(error, [namespace], READ_ACTIONS);
    return Promise.resolve(new CollectionInventory(this.#client, namespace, apply, failure));
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  async #write(changes: readonly Change[], signal: AbortSignal): Promise<ChangeResult[]> {
    const results: ChangeResult[] = changes.map(() => APPLIED);
    const commands = this.#commands.of(changes, (place, result) => {
      results[place] = result;
    });
    for (const command of commands) {
      try {
        for (const error of await this.#run(command, signal)) {
          const result = rejected(error, command.namespace);
          if (result.status === 'rejected' && result.scope === 'place') this.#collations.forget(command.namespace);
          results[command.places[error.index] as number] = result;
        }
      } catch (failure) {
        const refusal = placeRefusal(failure);
        for (const place of command.places) results[place] = refusal;
      }
      this.#commands.done(command);
    }
    return results;
  }

  async #run(command: Command, signal: AbortSignal): Promise<readonly WriteError[]> {
    const { namespace, name, statements } = command;
    try {
      const reply = await this.#client.db(namespace.database).command(
        {
          [name]: namespace.collection,
          [FIELDS[name]]: this.#carry(FIELDS[name], statements.section(), () => this.#expectMayApply()),
          ordered: false,
          writeConcern: { w: this.#writeConcern },
        },
        // The reply to a thousand upserts lists a thousand `_id`s that are not used.
        { signal, fieldsAsRaw: { upserted: true } },
      );
      if (reply['writeConcernError'] !== undefined) throw new MongoServerError(reply['writeConcernError']);
      return (reply['writeErrors'] ?? []) as WriteError[];
    } catch (error) {
      throw await this.#failure(error, [namespace], WRITE_ACTIONS);
    }
  }

  #expectMayApply(): void {
    if (!this.#mayApply()) throw new TailwaterError(errorCodes.PARTITIONS_IN_DOUBT, {});
  }

  /** Which of the actions a user who was refused may not do, says the server. */
  async #failure(error: unknown, collections: readonly Namespace[], actions: readonly string[]): Promise<unknown> {
    if (!isUnauthorized(error)) return mongoFailure(error, this.#address);
    try {
      const status = await this.#client.db('admin').command({ connectionStatus: 1, showPrivileges: true });
      const needed = collections.map(({ database: db, collection }) => ({ resource: { db, collection }, actions }));
      const missing = missingPrivileges(status, needed);
      const operation = missing.length === 0 ? `use ${collections.map(formatNamespace).join(' and ')}` : describePrivileges(missing);
      return new TailwaterError(
        errorCodes.TARGET_ACCESS_DENIED,
        { target: 'MongoDB', address: this.#address, operation },
        { cause: error },
      );
    } catch (cause) {
      return mongoFailure(cause, this.#address);
    }
  }
}

/** The document is there, and the guarded query did not match it. */
const isClash = (result: ChangeResult | undefined): boolean =>
  result?.status === 'rejected' && result.retriable && result.code === String(DUPLICATE_KEY);
