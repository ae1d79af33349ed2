// Asks a schema registry for the schemas of ids, each id once at a time, however many partitions wait for the answer, and however long the registry is away.
import type { SchemaIds } from '@tailwater/schema';

export class SchemaLookups {
  readonly #schemas: SchemaIds;
  readonly #signal: AbortSignal;
  readonly #open = new Map<number, Promise<void>>();

  /** @param signal ends all that is asked */
  constructor(schemas: SchemaIds, signal: AbortSignal) {
    this.#schemas = schemas;
    this.#signal = signal;
  }

  /** Resolves when the registry has told what the id of this value is, or that it has none such. */
  ask(id: number, value: Buffer): Promise<void> {
    const open = this.#open.get(id);
    if (open !== undefined) return open;
    const asked = this.#schemas.learn(value, this.#signal).finally(() => this.#open.delete(id));
    // Those that wait look again, and ask again.
    asked.catch(() => undefined);
    this.#open.set(id, asked);
    return asked;
  }
}
