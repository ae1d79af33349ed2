// Adds fields to a core's schema, for `--solr-schema add`. No name out of a document may do harm there: a schema is a file of XML that
// Solr writes whatever it is asked for, and may then not read again. What a schema does not take is left out of documents, as every
// field is that it lacks.
import { errorCodes, type Logger, sleep, TailwaterError } from '@tailwater/runtime';
import type { Answer } from './answer.js';
import type { CoreSchema } from './core-schema.js';
import { reasonOf, refusal } from './failures.js';
import type { SolrHttp } from './http.js';
import type { NewField } from './new-fields.js';

/** So many refused names are remembered, and told. */
const MAX_REFUSED = 1_000;
const MAX_TOLD = 10;
const [OK, BAD_REQUEST] = [200, 400];
const ATTEMPTS = 6;
const PAUSE_MS = 50;

export interface SchemaGrowthParts {
  readonly core: string;
  readonly schema: Pick<CoreSchema, 'add' | 'reread'>;
  readonly http: Pick<SolrHttp, 'address'>;
  readonly logger?: Pick<Logger, 'warn'> | undefined;
}

export class SchemaGrowth {
  readonly #parts: SchemaGrowthParts;
  /** They would be asked for again with each document that has them. */
  readonly #refused = new Set<string>();
  #told = 0;

  constructor(parts: SchemaGrowthParts) {
    this.#parts = parts;
  }

  /**
   * Whether the schema has got any of these fields, by this request or another one.
   *
   * @throws TailwaterError when the request failed for a reason that is not the fields'
   */
  async add(fields: readonly NewField[], signal: AbortSignal): Promise<boolean> {
    const wanted = fields.filter(({ name }) => !this.#refused.has(name));
    let left: readonly NewField[] = wanted;
    for (let attempt = 0; attempt < ATTEMPTS && left.length > 0; attempt++) {
      const { missing, answer } = await this.#ask(left, signal);
      const isRefused = answer.status === BAD_REQUEST && missing.length === left.length;
      left = missing;
      if (isRefused) break;
      if (left.length > 0) await this.#pause(signal);
    }
    let added = wanted.length - left.length;
    // One that is refused, or that another consumer has added, has the whole request refused: they go alone.
    for (const field of left) if (await this.#addAlone(field, signal)) added += 1;
    return added > 0;
  }

  async #addAlone(field: NewField, signal: AbortSignal): Promise<boolean> {
    let reason = '';
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const { missing, answer } = await this.#ask([field], signal);
      if (missing.length === 0) return true;
      reason = answer.status === OK ? 'others change the schema at the same time' : reasonOf(answer);
      await this.#pause(signal);
    }
    this.#refuse(field.name, reason);
    return false;
  }

  /** Solr says yes to two changes of a schema at once, and keeps one of them (measured on 9.10): each waits for another time. */
  async #pause(signal: AbortSignal): Promise<void> {
    await sleep(PAUSE_MS * (1 + Math.random()), signal);
    signal.throwIfAborted();
  }

  /** What the schema lacks after it was asked for these. */
  async #ask(
    fields: readonly NewField[],
    signal: AbortSignal,
  ): Promise<{ readonly missing: readonly NewField[]; readonly answer: Answer }> {
    const { core, schema, http } = this.#parts;
    const answer = await schema.add(fields, signal);
    if (answer.status !== OK && answer.status !== BAD_REQUEST)
      throw refusal(answer, core, http.address, `add fields to the schema of ${core}`);
    const known = await schema.reread(signal);
    return { missing: fields.filter(({ name }) => known.field(name) === undefined), answer };
  }

  #refuse(field: string, reason: string): void {
    if (this.#refused.size < MAX_REFUSED) this.#refused.add(field);
    if (this.#told >= MAX_TOLD) return;
    this.#told += 1;
    const { code, message, hint } = new TailwaterError(errorCodes.SCHEMA_NOT_EXTENDED, {
      core: this.#parts.core,
      field: field.slice(0, 200),
      reason,
    });
    this.#parts.logger?.warn({ code, field: field.slice(0, 200) }, `${message}. ${hint}`);
  }
}
