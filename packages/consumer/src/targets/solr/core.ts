// One core or collection, and the requests that change its documents. A batch that Solr refuses goes again in halves, down to the
// documents that are to blame; what was applied already is applied again, which changes nothing (promise D).
import { errorCodes, type Logger, TailwaterError } from '@tailwater/runtime';
import type { Change } from '../../changes/change.js';
import { APPLIED, type ChangeResult, SUPERSEDED } from '../target.js';
import type { Answer } from './answer.js';
import { CoreSchema } from './core-schema.js';
import type { DroppedFields } from './dropped-fields.js';
import { Extraction } from './extraction.js';
import { parsed, reasonOf, refusal } from './failures.js';
import type { SolrHttp } from './http.js';
import type { SolrSettings } from './options.js';
import { SchemaGrowth } from './schema-growth.js';
import type { OwnFields } from './update-body.js';
import { type Encoded, UpdateEncoder } from './update-encoder.js';
import { type UpdateParameters, updateParameters } from './update-parameters.js';

const BAD_REQUEST = 400;
const CONFLICT = 409;
const TOO_LARGE = 413;
/** No document's id: a text that begins with a brace keeps its quotes. */
const NOBODYS_ID = '{tailwater}';
/** Deletes with a version go one by one, so many at a time. */
const DELETES_AT_ONCE = 8;

export interface CoreParts {
  readonly http: SolrHttp;
  readonly settings: SolrSettings;
  readonly autoCommitInterval: number | undefined;
  readonly idOf: (change: Change) => string;
  readonly dropped: DroppedFields;
  readonly logger?: Pick<Logger, 'warn'> | undefined;
}

export class SolrCore {
  readonly #name: string;
  readonly #parts: CoreParts;
  readonly #schema: CoreSchema;
  readonly #parameters: UpdateParameters;
  readonly #extraction: Extraction;
  readonly #encoder: UpdateEncoder;
  #isOpen = false;

  constructor(name: string, parts: CoreParts) {
    const { http, dropped, settings, logger } = parts;
    this.#name = name;
    this.#parts = parts;
    this.#schema = new CoreSchema(name, parts.http, settings);
    this.#extraction = new Extraction(name, { http, field: settings.contentField ?? 'content', dropped, logger });
    this.#parameters = updateParameters(settings, parts.autoCommitInterval);
    const growth = settings.schema === 'add' ? new SchemaGrowth({ core: name, schema: this.#schema, http, logger }) : undefined;
    this.#encoder = new UpdateEncoder(this.#schema, { idOf: parts.idOf, dropped, growth });
  }

  /** @throws TailwaterError when the core is missing, or not one that can be written to as asked */
  async open(signal: AbortSignal): Promise<void> {
    if (this.#isOpen) return;
    await this.#schema.layout(signal);
    await this.#checkUpdateLog(signal);
    await this.#checkEmptyUpdate(signal);
    this.#isOpen = true;
  }

  async apply(changes: readonly Change[], signal: AbortSignal): Promise<readonly ChangeResult[]> {
    await this.open(signal);
    return this.#apply(await this.#extraction.withTexts(changes, signal), signal);
  }

  async #apply(changes: readonly Change[], signal: AbortSignal): Promise<readonly ChangeResult[]> {
    if (this.#parts.settings.versionField === undefined) return this.#send(changes, signal);
    const upserts = changes.filter(({ kind }) => kind === 'upsert');
    const deletes = changes.filter(({ kind }) => kind === 'delete');
    const results = new Map<Change, ChangeResult>();
    const note = (sent: readonly Change[], answers: readonly ChangeResult[]) => {
      for (const [index, change] of sent.entries()) results.set(change, answers[index] as ChangeResult);
    };
    if (upserts.length > 0) note(upserts, await this.#send(upserts, signal));
    for (let from = 0; from < deletes.length; from += DELETES_AT_ONCE) {
      const sent = deletes.slice(from, from + DELETES_AT_ONCE);
      // All of them have ended before a failure is thrown: no request may be under way when the batch is tried again.
      const settled = await Promise.allSettled(sent.map((change) => this.#send([change], signal)));
      const answers = settled.map((each) => {
        if (each.status === 'rejected') throw each.reason;
        return each.value[0] as ChangeResult;
      });
      note(sent, answers);
    }
    return changes.map((change) => results.get(change) as ChangeResult);
  }

  /** What the schema says of the fields that the consumer writes itself. */
  async ownFields(signal: AbortSignal): Promise<OwnFields> {
    return (await this.#schema.layout(signal)).own;
  }

  /** Deletes nothing, in the shard of the change; without the chain, which may remember deletes. */
  async acceptsProbeWrite(change: Change, signal: AbortSignal): Promise<boolean> {
    const body = JSON.stringify({ delete: { id: NOBODYS_ID, _route_: this.#parts.idOf(change) } });
    const answer = await this.#parts.http.post(`${encodeURIComponent(this.#name)}/update?wt=json`, body, signal);
    return answer.status === 200;
  }

  async #send(changes: readonly Change[], signal: AbortSignal, mayBeNews = true): Promise<readonly ChangeResult[]> {
    const encoded = await this.#encoder.encode(changes, mayBeNews, signal);
    const { refused } = encoded;
    if (refused.size === 0) return this.#sendEncoded(changes, encoded, signal, mayBeNews);
    const sent = changes.filter((_, index) => !refused.has(index));
    const results = (sent.length === 0 ? [] : await this.#sendEncoded(sent, encoded, signal, mayBeNews)).values();
    return changes.map((_, index): ChangeResult => {
      const refusedOne = refused.get(index);
      if (refusedOne !== undefined) return { status: 'rejected', ...refusedOne, retriable: false };
      return results.next().value as ChangeResult;
    });
  }

  async #sendEncoded(
    changes: readonly Change[],
    encoded: Encoded,
    signal: AbortSignal,
    mayBeNews: boolean,
  ): Promise<readonly ChangeResult[]> {
    const answer = await this.#post(changes, encoded, signal);
    const { status } = answer;
    if (status === 200) return this.#withoutRefused(changes, answer, signal);
    if (status !== BAD_REQUEST && status !== CONFLICT && status !== TOO_LARGE) throw refusal(answer, this.#name, this.#parts.http.address);
    if (status === BAD_REQUEST && mayBeNews && (await this.#schema.hasChanged(signal))) return this.#send(changes, signal, false);
    if (changes.length === 1) return [await this.#verdict(answer, signal)];
    const middle = changes.length >> 1;
    const first = await this.#send(changes.slice(0, middle), signal, false);
    return [...first, ...(await this.#send(changes.slice(middle), signal, false))];
  }

  /** A tolerant chain lists what it refused, without saying whether it would for good: each of them goes again, alone. */
  async #withoutRefused(changes: readonly Change[], { text }: Answer, signal: AbortSignal): Promise<readonly ChangeResult[]> {
    const refused = this.#parts.settings.updateChain === undefined ? [] : refusedIds(text);
    if (refused.length === 0) return changes.map(() => APPLIED);
    const { idOf } = this.#parts;
    const byId = new Map(changes.map((change) => [idOf(change), change]));
    // An entry that names none of them may stand for any.
    const again = refused.every((id) => byId.has(id)) ? new Set(refused.map((id) => byId.get(id))) : new Set(changes);
    const results: ChangeResult[] = [];
    let mayBeNews = true;
    for (const change of changes) {
      if (!again.has(change)) {
        results.push(APPLIED);
        continue;
      }
      results.push(...(await this.#send([change], signal, mayBeNews)));
      mayBeNews = false;
    }
    return results;
  }

  /** Whether it is the change that is refused: Solr says 400 as well when it is the request that it does not understand. */
  async #verdict(answer: Answer, signal: AbortSignal): Promise<ChangeResult> {
    if (answer.status === CONFLICT) return SUPERSEDED;
    if (answer.status === BAD_REQUEST) await this.#checkEmptyUpdate(signal);
    return { status: 'rejected', code: String(answer.status), reason: reasonOf(answer), retriable: false };
  }

  async #post(changes: readonly Change[], { bytes, written }: Encoded, signal: AbortSignal): Promise<Answer> {
    const answer = await this.#parts.http.post(this.#updatePath(changes.length === 1 ? 'single' : 'batch', changes), bytes, signal);
    // Only now: bytes of a refused request may still be on their way out of this very memory.
    if (answer.status === 200) written();
    return answer;
  }

  #updatePath(kind: keyof UpdateParameters, changes: readonly Change[] = []): string {
    const { versionField, deleteVersionParameter } = this.#parts.settings;
    const [change] = changes;
    const version =
      versionField !== undefined && change?.kind === 'delete'
        ? `&${encodeURIComponent(deleteVersionParameter)}=${change.position.version}`
        : '';
    return `${encodeURIComponent(this.#name)}/update?${this.#parameters[kind]}${version}`;
  }

  async #checkEmptyUpdate(signal: AbortSignal): Promise<void> {
    const answer = await this.#parts.http.post(this.#updatePath('empty'), '{}', signal);
    if (answer.status === 200) return;
    if (answer.status !== BAD_REQUEST) throw refusal(answer, this.#name, this.#parts.http.address);
    throw new TailwaterError(errorCodes.UPDATES_REFUSED, { core: this.#name, reason: reasonOf(answer) });
  }

  /** Without an update log, Solr forgets at a crash what it has acknowledged and not committed. */
  async #checkUpdateLog(signal: AbortSignal): Promise<void> {
    if (this.#parts.autoCommitInterval === 0) return;
    const answer = await this.#parts.http.get(`${encodeURIComponent(this.#name)}/config?wt=json`, signal);
    // Who may not read it is trusted.
    if (answer.status === 200 && !answer.text.includes('updateLog'))
      throw new TailwaterError(errorCodes.NO_UPDATE_LOG, { core: this.#name });
  }
}

/** The ids of what a tolerant chain did not apply. */
function refusedIds(text: string): string[] {
  const header = (parsed(text) as { responseHeader?: { errors?: unknown } } | undefined)?.responseHeader;
  return Array.isArray(header?.errors) ? header.errors.map((error) => String((error as { id?: unknown }).id)) : [];
}
