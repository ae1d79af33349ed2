// The changes that a source gives, as the pipeline would see them before it looks documents up.
import { compileNamespaceRules } from '@tailwater/runtime';
import { Position } from '@tailwater/schema';
import { BSON } from 'bson';
import type { MongoClient } from 'mongodb';
import { ChangeBatch } from '#producer/changes/change-batch.js';
import { NamespaceTable } from '#producer/changes/namespace-table.js';
import { UpdateDescriber } from '#producer/encode/update-description.js';
import { createNormalizer, openSource } from '#producer/session/source-kinds.js';
import type { SourceKind } from '#producer/source/mongo/connect.js';
import { SourceHealth } from '#producer/source/mongo/source-health.js';
import { NormalizeCounters } from '#producer/source/normalize-counters.js';
import { ShardRoster } from '#producer/source/sharded/shard-roster.js';
import type { ChangeSource, EntryBatch } from '#producer/source/source.js';
import { tailRows } from '#producer/tail/tail-rows.js';
import { keptLog } from '#test/integration/producer/support/kept-log.js';

export interface SeenChange {
  readonly op: string;
  readonly namespace: string;
  readonly key: string;
  readonly position: string;
  readonly wallTimeMs: number;
  readonly transaction: { readonly id: string; readonly index: number } | null;
  /** Extended JSON; null where the pipeline looks it up. */
  readonly document: string | null;
  /** What an update changed: the bytes of its fields, removed ones, lengths of arrays. */
  readonly update: readonly unknown[] | null;
}

export interface SeenCommand {
  readonly kind: string;
  readonly namespace: string;
  readonly to: string | undefined;
  readonly position: string;
}

export interface SourceReaderOptions {
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  readonly fullDocument?: 'lookup' | 'when-available';
  /** Connection string of what lists the shards of a cluster. */
  readonly shardedUri?: string;
}

/** One source and its normalizer. */
export class SourceReader {
  readonly changes: SeenChange[] = [];
  readonly commands: SeenCommand[] = [];
  /** Where to resume behind each of `changes`, as a checkpoint between two slices would say. */
  readonly resumePoints: Position[] = [];
  /** Where each read ended. */
  readonly ends: Position[] = [];
  readonly unknown: () => string[];
  readonly source: ChangeSource;
  readonly #normalize: (batch: EntryBatch) => Promise<void>;

  constructor(client: MongoClient, kind: SourceKind, options: SourceReaderOptions = {}) {
    const patterns = { include: options.include ?? [], exclude: options.exclude ?? [] };
    const { logger } = keptLog();
    const counters = new NormalizeCounters();
    const mongo = {
      client,
      connection: { uri: options.shardedUri ?? '', access: {} },
      isMongos: options.shardedUri !== undefined,
      replicaSet: 'rs0',
      clusterId: undefined,
      address: '',
      version: '6.0.5',
    };
    const sourceOptions = { source: kind, fullDocument: options.fullDocument ?? ('lookup' as const), ...patterns };
    this.source = openSource(mongo, sourceOptions, () => true, new SourceHealth(logger), new ShardRoster(async () => {}), logger);
    const normalizer = createNormalizer(this.source, kind, new NamespaceTable(compileNamespaceRules(patterns)), counters, logger);
    this.unknown = () => [...counters.unknownByKind.keys()];
    this.#normalize = async (batch) => {
      const rows = new ChangeBatch();
      for await (const _ of tailRows(batch, rows, normalizer, 4 * 1024 * 1024)) {
        for (let row = 0; row < rows.length; row++) {
          this.changes.push(changeOf(rows, row));
          const inside = new Position(rows.t[row] as number, rows.i[row] as number);
          this.resumePoints.push(normalizer.positionBehind(rows, row) ?? inside);
        }
      }
      for (const { kind: command, namespace, to, t, i } of rows.commands) {
        this.commands.push({ kind: command, namespace: namespace.name, to: to?.name, position: `${t}:${i}` });
      }
    };
  }

  /** Reads on from `after` until `isOver`, which is asked after every read. */
  async readUntil(after: Position, isOver: (reader: this) => boolean): Promise<this> {
    const stop = AbortSignal.timeout(30_000);
    for await (const batch of this.source.read(after, stop)) {
      await this.#normalize(batch);
      this.ends.push(batch.end);
      if (isOver(this)) return this;
    }
    throw new Error(`The source was not read to the end: ${JSON.stringify(this.changes.slice(-3))}, at ${this.ends.at(-1)}`);
  }

  /** Reads on from `after` until the document with this key has been inserted. */
  readUntilKey(after: Position, key: string): Promise<this> {
    return this.readUntil(after, ({ changes }) => changes.some((change) => change.key === key));
  }
}

const describer = new UpdateDescriber();

function updateOf(rows: ChangeBatch, row: number): readonly unknown[] | null {
  if (rows.op[row] !== 'update') return null;
  describer.reset();
  const description = describer.describe(rows.idSource[row] as Buffer, rows.updateStart[row] as number);
  if (description === undefined) return null;
  return [description.updatedFields.toString('latin1'), description.removedFields, description.truncatedArrays];
}

function changeOf(rows: ChangeBatch, row: number): SeenChange {
  const document = rows.document[row];
  return {
    op: rows.op[row] as string,
    namespace: rows.namespace[row]?.name as string,
    key: rows.key[row] as string,
    position: new Position(rows.t[row] as number, rows.i[row] as number, rows.ordinal[row]).toString(),
    wallTimeMs: rows.wallTimeMs[row] as number,
    transaction: rows.transaction[row] ?? null,
    update: updateOf(rows, row),
    document:
      document === undefined ? null : BSON.EJSON.stringify(BSON.deserialize(document, { promoteValues: false }), { relaxed: false }),
  };
}
