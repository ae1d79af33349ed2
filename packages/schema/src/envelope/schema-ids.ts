// Which schema of ours an id of a schema registry stands for. An id never changes its meaning, so each is asked for once.
// https://docs.confluent.io/platform/current/schema-registry/fundamentals/serdes-develop/index.html#wire-format
import { type EventReader, fingerprintOfSchema, fingerprintText, readerOf } from './released.js';

const MAGIC = 0;
const HEADER_BYTES = 5;

/** What values in Confluent framing begin with: a zero byte and the schema's id, big-endian. */
export function confluentHeader(id: number): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeInt32BE(id, 1);
  return header;
}

/** The schema id of a value in Confluent framing; undefined for a value in another one. */
export function confluentSchemaId(value: Buffer): number | undefined {
  return value.length >= HEADER_BYTES && value[0] === MAGIC ? value.readInt32BE(1) : undefined;
}

/** What a registry holds under an id: an Avro schema, something else, or nothing. */
export type FoundSchema = { readonly avro: string } | 'other' | undefined;

export class SchemaIds {
  readonly #lookup: ((id: number, signal: AbortSignal) => Promise<FoundSchema>) | undefined;
  readonly #readers = new Map<number, EventReader | string>();

  /** @param lookup - asks the registry, where there is one */
  constructor(lookup?: (id: number, signal: AbortSignal) => Promise<FoundSchema>) {
    this.#lookup = lookup;
  }

  /** Whether unknown ids can be looked up. */
  get hasRegistry(): boolean {
    return this.#lookup !== undefined;
  }

  /** Looks the id of a value in Confluent framing up, unless it is known; what the registry does not know stays unknown. */
  async learn(value: Buffer, signal: AbortSignal): Promise<void> {
    const id = confluentSchemaId(value);
    if (id === undefined || this.#lookup === undefined || this.#readers.has(id)) return;
    const found = await this.#lookup(id, signal);
    if (found !== undefined) this.#readers.set(id, readerOrName(id, found));
  }

  /** The reader; the name of a schema that is not one of ours; undefined for an id that is not known. */
  get(id: number): EventReader | string | undefined {
    return this.#readers.get(id);
  }
}

function readerOrName(id: number, schema: Exclude<FoundSchema, undefined>): EventReader | string {
  if (schema === 'other') return `${id} of the registry`;
  try {
    const fingerprint = fingerprintOfSchema(schema.avro);
    return readerOf(fingerprint) ?? fingerprintText(fingerprint);
  } catch {
    return `${id} of the registry`;
  }
}
