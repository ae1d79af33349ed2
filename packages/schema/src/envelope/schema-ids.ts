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

/** Of a schema that no release of ours ever has. */
export const FOREIGN = Symbol('foreign');

export class SchemaIds {
  readonly #lookup: ((id: number, signal: AbortSignal) => Promise<FoundSchema>) | undefined;
  readonly #readers = new Map<number, EventReader | string | typeof FOREIGN>();

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

  /** The reader; the name of a schema of a later release; undefined for an id that is not known. */
  get(id: number): EventReader | string | typeof FOREIGN | undefined {
    return this.#readers.get(id);
  }
}

function readerOrName(id: number, schema: Exclude<FoundSchema, undefined>): EventReader | string | typeof FOREIGN {
  if (schema === 'other') return FOREIGN;
  try {
    const fingerprint = fingerprintOfSchema(schema.avro);
    const reader = readerOf(fingerprint);
    if (reader !== undefined) return reader;
    return isOfChangeEvents(schema.avro) ? fingerprintText(fingerprint) : FOREIGN;
  } catch {
    return isOfChangeEvents(schema.avro) ? `${id} of the registry` : FOREIGN;
  }
}

/** By its name, which a release may not change: other people's schemas have another. */
function isOfChangeEvents(text: string): boolean {
  try {
    const { name, namespace } = JSON.parse(text) as { name?: unknown; namespace?: unknown };
    return name === 'tailwater.ChangeEvent' || (name === 'ChangeEvent' && namespace === 'tailwater');
  } catch {
    return false;
  }
}
