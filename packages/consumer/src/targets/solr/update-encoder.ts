// Changes as the bytes of an update request, by a schema that has what they need: where missing fields are to be added, they are added first.
import type { Change } from '../../changes/change.js';
import { SpareBuffers } from '../spare-buffers.js';
import type { CoreSchema } from './core-schema.js';
import type { DroppedFields } from './dropped-fields.js';
import { NewFields } from './new-fields.js';
import type { SchemaGrowth } from './schema-growth.js';
import { type Commands, UpdateBody } from './update-body.js';

export interface UpdateEncoderParts {
  readonly idOf: (change: Change) => string;
  readonly dropped: DroppedFields;
  /** Adds fields to the schema; undefined where it is left as it is. */
  readonly growth: SchemaGrowth | undefined;
}

export interface Encoded extends Commands {
  /** Solr has taken the request: its memory is free, and what it left out counts. */
  readonly written: () => void;
}

export class UpdateEncoder {
  readonly #schema: CoreSchema;
  readonly #parts: UpdateEncoderParts;
  readonly #newFields = new NewFields();
  readonly #bodies: SpareBuffers<UpdateBody>;

  constructor(schema: CoreSchema, parts: UpdateEncoderParts) {
    this.#schema = schema;
    this.#parts = parts;
    this.#bodies = new SpareBuffers(
      () =>
        new UpdateBody((field, type, inArray, exceedsDouble) => {
          parts.dropped.note(field.path);
          if (parts.growth !== undefined) this.#newFields.note(field, type, inArray, exceedsDouble);
        }),
    );
  }

  /** @param mayBeNews whether what is refused is worth another look at the schema: a field's type may have been changed */
  async encode(changes: readonly Change[], mayBeNews: boolean, signal: AbortSignal): Promise<Encoded> {
    const body = this.#bodies.take();
    let encoded = await this.#write(body, changes, signal);
    const { growth } = this.#parts;
    if (growth !== undefined && this.#newFields.size > 0) {
      const { fields } = await this.#schema.layout(signal);
      if (await growth.add(this.#newFields.take(fields.schema), signal)) encoded = await this.#write(body, changes, signal);
    }
    if (encoded.refused.size > 0 && mayBeNews && (await this.#schema.hasChanged(signal)))
      encoded = await this.#write(body, changes, signal);
    return encoded;
  }

  async #write(body: UpdateBody, changes: readonly Change[], signal: AbortSignal): Promise<Encoded> {
    const layout = await this.#schema.layout(signal);
    const { idOf, dropped } = this.#parts;
    const before = { values: body.droppedValues, fields: body.droppedFields };
    const commands = body.write(changes, layout, idOf);
    const left = { values: body.droppedValues - before.values, fields: body.droppedFields - before.fields };
    const written = () => {
      this.#bodies.giveBack(body);
      dropped.count(left.values, left.fields);
    };
    return { ...commands, written };
  }
}
