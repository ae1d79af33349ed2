// A normalizer with everything that one looks at afterwards.
import { compileNamespaceRules, createLogger, type NamespaceRules } from '@tailwater/runtime';
import { Position } from '@tailwater/schema';
import { ChangeBatch } from '../../../../packages/producer/src/normalize/change-batch.js';
import { NamespaceTable } from '../../../../packages/producer/src/normalize/namespace-table.js';
import { NormalizeCounters } from '../../../../packages/producer/src/normalize/normalize-counters.js';
import { Normalizer } from '../../../../packages/producer/src/normalize/normalizer.js';

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
  readonly #normalizer: Normalizer;

  constructor(rules: NamespaceRules = compileNamespaceRules({})) {
    const logger = createLogger({
      name: 'test',
      level: 'trace',
      format: 'json',
      destination: { write: (line: string) => void this.log.push(JSON.parse(line) as LogLine) },
    });
    this.#normalizer = new Normalizer(new NamespaceTable(rules), this.counters, logger);
  }

  /** Normalizes the entries into `rows`, behind what is there. */
  take(...entries: Buffer[]): this {
    this.#normalizer.normalize(entries, this.rows);
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
