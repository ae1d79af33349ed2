// Reads a source as the pipeline does, until a test has seen enough.
import { Position } from '@tailwater/schema';
import { BSON } from 'bson';
import type { ChangeSource, EntryBatch } from '#producer/source/source.js';

export interface SeenEntry {
  readonly position: string;
  readonly op: string;
  readonly ns: string;
  readonly o: BSON.Document;
}

export class Tail {
  readonly entries: SeenEntry[] = [];
  readonly ends: Position[] = [];
  readonly #stop = new AbortController();
  readonly #reading: Promise<void>;
  #failure: unknown;

  /** Reads on from `after`; `onBatch` is awaited before the next batch is read. */
  constructor(source: ChangeSource, after: Position, onBatch: (batch: EntryBatch) => void | Promise<void> = () => {}) {
    this.#reading = this.#read(source, after, onBatch).catch((error: unknown) => {
      this.#failure = error;
    });
  }

  /** The entries of a namespace, as the values of one field of their documents. */
  valuesOf(ns: string, field = 'n'): unknown[] {
    return this.entries.filter((entry) => entry.ns === ns && entry.op === 'i').map(({ o }) => o[field]);
  }

  /** What the source threw, once it ended by itself. */
  get failure(): unknown {
    return this.#failure;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#reading;
  }

  async #read(source: ChangeSource, after: Position, onBatch: (batch: EntryBatch) => void | Promise<void>): Promise<void> {
    for await (const batch of source.read(after, this.#stop.signal)) {
      for (const entry of batch.entries) {
        const { ts, op, ns, o } = BSON.deserialize(entry);
        this.entries.push({ position: new Position(ts.t, ts.i).toString(), op, ns, o });
      }
      this.ends.push(batch.end);
      await onBatch(batch);
    }
  }
}
