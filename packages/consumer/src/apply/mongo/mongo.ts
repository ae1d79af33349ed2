// The MongoDB target: the same BSON under the same `_id`, by one `update` and one `delete` command per namespace and batch,
// unordered across keys. The documents travel as the bytes that the producer read (promise C).

import { redactUrl, TailwaterError } from '@tailwater/runtime';
import { formatNamespace, type Namespace } from '@tailwater/schema';
import { BSON, MongoClient, MongoServerError } from 'mongodb';
import type { Change } from '../../change.js';
import { connectWithin } from '../connect-within.js';
import { SpareBuffers } from '../spare-buffers.js';
import { APPLIED, type ChangeResult, type Target } from '../target.js';
import { sectionCarrier } from './document-sequence.js';
import { mongoFailure } from './failures.js';
import { keyToId } from './key-to-id.js';
import { Statements } from './statements.js';
import { isLostUpsertRace, isRetriableCode } from './write-errors.js';

export interface MongoTargetOptions {
  /** `mongodb://user:password@host:27017/?replicaSet=rs0` */
  readonly url: string;
  /** How long, in milliseconds, to try to reach the server at the start. */
  readonly connectTimeoutMs: number;
  /** How long, in milliseconds, a command may take before its connection counts as lost. */
  readonly requestTimeoutMs: number;
}

/** https://www.mongodb.com/docs/manual/reference/limits/: a message holds 48 MB and 100,000 statements. */
const MAX_COMMAND_BYTES = 44_000_000;
const MAX_COMMAND_STATEMENTS = 100_000;
/** Short, so that the status says soon that the server is gone; whoever waits longer tries again. */
const SELECTION_TIMEOUT_MS = 3_000;

const FIELDS = { update: 'updates', delete: 'deletes' } as const;

interface WriteError {
  readonly index: number;
  readonly code: number;
  readonly errmsg?: string;
  readonly keyPattern?: unknown;
}

/** Statements of one command, and the place in the batch of the change behind each. */
interface Command {
  readonly namespace: Namespace;
  readonly name: 'update' | 'delete';
  readonly statements: Statements;
  readonly places: number[];
}

export class MongoTarget implements Target {
  readonly kind = 'mongo';
  readonly #address: string;
  readonly #connectTimeoutMs: number;
  readonly #client: MongoClient;
  readonly #carry = sectionCarrier();
  readonly #spare = new SpareBuffers(() => new Statements());

  /** @throws TailwaterError TW1308 when the URL is malformed, TW1314 when the installed driver is not the tested one */
  constructor(options: MongoTargetOptions) {
    this.#address = redactUrl(options.url);
    this.#connectTimeoutMs = options.connectTimeoutMs;
    try {
      this.#client = new MongoClient(options.url, {
        appName: 'tailwater-consumer',
        serverSelectionTimeoutMS: Math.min(options.connectTimeoutMs, SELECTION_TIMEOUT_MS),
        connectTimeoutMS: Math.min(options.connectTimeoutMs, SELECTION_TIMEOUT_MS),
        socketTimeoutMS: options.requestTimeoutMs,
      });
    } catch (cause) {
      throw new TailwaterError('TW1308', { address: this.#address }, { cause });
    }
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
        throw mongoFailure(error, this.#address);
      }
    });
  }

  async applyBatch(changes: readonly Change[], signal: AbortSignal): Promise<readonly ChangeResult[]> {
    const results: ChangeResult[] = changes.map(() => APPLIED);
    for (const command of this.#commands(changes)) {
      for (const error of await this.#run(command, signal)) {
        results[command.places[error.index] as number] = rejected(error);
      }
      this.#spare.giveBack(command.statements);
    }
    return results;
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  #commands(changes: readonly Change[]): Command[] {
    const open = new Map<Namespace, Partial<Record<Command['name'], Command>>>();
    const commands: Command[] = [];
    for (const [place, change] of changes.entries()) {
      const name = change.kind === 'upsert' ? 'update' : 'delete';
      const ofNamespace = open.get(change.namespace) ?? {};
      open.set(change.namespace, ofNamespace);
      let command = ofNamespace[name];
      if (command === undefined || isFull(command, change)) {
        command = { namespace: change.namespace, name, statements: this.#spare.take(), places: [] };
        command.statements.begin(FIELDS[name]);
        ofNamespace[name] = command;
        commands.push(command);
      }
      if (change.kind === 'upsert') command.statements.upsert(change.document);
      else command.statements.delete(keyToId(change.key));
      command.places.push(place);
    }
    return commands;
  }

  async #run(command: Command, signal: AbortSignal): Promise<readonly WriteError[]> {
    const { namespace, name, statements } = command;
    try {
      const reply = await this.#client.db(namespace.database).command(
        {
          [name]: namespace.collection,
          [FIELDS[name]]: this.#carry(FIELDS[name], statements.section()),
          ordered: false,
          writeConcern: { w: 'majority' },
        },
        // Raw: the reply to a thousand upserts lists a thousand `_id`s that nobody looks at.
        { signal, raw: true },
      );
      if (reply['writeConcernError'] !== undefined) throw new MongoServerError(BSON.deserialize(reply['writeConcernError'] as Uint8Array));
      return ((reply['writeErrors'] ?? []) as Uint8Array[]).map((error) => BSON.deserialize(error) as unknown as WriteError);
    } catch (error) {
      throw mongoFailure(error, this.#address);
    }
  }
}

function isFull(command: Command, next: Change): boolean {
  return (
    command.statements.count >= MAX_COMMAND_STATEMENTS ||
    (command.statements.count > 0 && command.statements.length + next.document.length > MAX_COMMAND_BYTES)
  );
}

function rejected({ code, errmsg, keyPattern }: WriteError): ChangeResult {
  const retriable = isRetriableCode(code) || isLostUpsertRace(code, keyPattern);
  return { status: 'rejected', code: String(code), reason: errmsg ?? `error ${code}`, retriable };
}
