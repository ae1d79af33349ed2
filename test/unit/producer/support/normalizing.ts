// A normalizer with everything that one looks at afterwards.
import { compileNamespaceRules, createLogger, type NamespaceRules } from '@tailwater/runtime';
import { Position } from '@tailwater/schema';
import { ChangeBatch } from '#producer/changes/change-batch.js';
import { NamespaceTable } from '#producer/changes/namespace-table.js';
import { NormalizeCounters } from '#producer/source/normalize-counters.js';
import { Normalizer } from '#producer/source/oplog/normalizer.js';
import { Chains } from './chains.js';

export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** Takes everything, the server's own namespaces too, for recordings that hold little else. */
export const EVERYTHING: NamespaceRules = { includes: () => true, rename: (namespace) => namespace };

export class Normalizing {
  readonly rows = new ChangeBatch();
  readonly counters = new NormalizeCounters();
  readonly log: LogLine[] = [];
  readonly normalizer: Normalizer;
  readonly chains = new Chains();

  constructor(rules: NamespaceRules = compileNamespaceRules({}), isSharded = false) {
    const logger = createLogger({
      name: 'test',
      level: 'trace',
      format: 'json',
      destination: { write: (line: string) => void this.log.push(JSON.parse(line) as LogLine) },
    });
    this.normalizer = new Normalizer(this.chains, new NamespaceTable(rules), this.counters, logger, isSharded);
  }

  /** Normalizes the entries into `rows`, behind what is there; chains of transactions are among the entries taken so far. */
  take(...entries: Buffer[]): this {
    const { rows } = this;
    this.chains.add(entries);
    let next = this.normalizer.normalize(entries, rows);
    while (next < entries.length) {
      const end = entries[next] as Buffer;
      let ordinal = 0;
      for (const part of this.chains.of(end)) ordinal = this.normalizer.appendPart(end, part, ordinal, rows);
      next = this.normalizer.normalize(entries, rows, next + 1);
    }
    return this;
  }

  /** The rows as objects. */
  changes(): Change[] {
    const { rows } = this;
    return Array.from({ length: rows.length }, (_, row) => ({
      op: rows.op[row] as string,
      namespace: rows.namespace[row]?.name as string,
      key: rows.key[row] as string,
      position: new Position(rows.t[row] as number, rows.i[row] as number, rows.ordinal[row]).toString(),
      wallTimeMs: rows.wallTimeMs[row] as number,
      transaction: rows.transaction[row] ?? null,
      id: rows.idSource[row]?.subarray(rows.idStart[row], rows.idEnd[row]) as Buffer,
      document: rows.document[row],
    }));
  }
}

export interface Change {
  readonly op: string;
  readonly namespace: string;
  readonly key: string;
  readonly position: string;
  readonly wallTimeMs: number;
  readonly transaction: { readonly id: string; readonly index: number } | null;
  /** The bytes of the `_id`'s value. */
  readonly id: Buffer;
  readonly document: Buffer | undefined;
}
