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

export class SchemaIds {
  readonly #readers = new Map<number, EventReader | string>();

  has(id: number): boolean {
    return this.#readers.has(id);
  }

  /** @param schema - what the registry holds under the id; undefined when it is no Avro schema */
  add(id: number, schema: string | undefined): void {
    this.#readers.set(id, readerOrName(id, schema));
  }

  /** The reader; the name of a schema that is not one of ours; undefined for an id that was not added. */
  get(id: number): EventReader | string | undefined {
    return this.#readers.get(id);
  }
}

function readerOrName(id: number, schema: string | undefined): EventReader | string {
  if (schema === undefined) return `${id} of the registry`;
  try {
    const fingerprint = fingerprintOfSchema(schema);
    return readerOf(fingerprint) ?? fingerprintText(fingerprint);
  } catch {
    return `${id} of the registry`;
  }
}
