// What a core holds, of one namespace where its documents can be told from others', and deletes of what has not changed since.
// https://solr.apache.org/guide/solr/latest/query-guide/pagination-of-results.html#fetching-a-large-number-of-sorted-results-cursors
import type { Held, Inventory } from '../inventory.js';
import { parsed, refusal } from './failures.js';
import type { SolrHttp } from './http.js';

const PORTION = 5_000;
const CONFLICT = 409;
const REMOVALS_AT_ONCE = 8;

export interface CoreInventoryParts {
  readonly http: SolrHttp;
  readonly core: string;
  readonly uniqueKey: string;
  /** A query that finds the namespace's documents, and only them; undefined when the core is all its own. */
  readonly filter: string | undefined;
  readonly place: string;
  readonly idOf: (key: string) => string;
}

interface Page {
  readonly response?: { readonly docs: readonly Readonly<Record<string, string | number>>[] };
  readonly nextCursorMark?: string;
}

export class CoreInventory implements Inventory {
  readonly place: string;
  readonly #parts: CoreInventoryParts;

  constructor(parts: CoreInventoryParts) {
    this.place = parts.place;
    this.#parts = parts;
  }

  idOf(key: string): string {
    return this.#parts.idOf(key);
  }

  async *scan(signal: AbortSignal): AsyncGenerator<readonly Held[]> {
    const { http, core, uniqueKey, filter } = this.#parts;
    // What is not searchable yet is counted too.
    await this.#commit(signal);
    const query = { q: '*:*', rows: String(PORTION), sort: `${uniqueKey} asc`, fl: `${uniqueKey},_version_`, wt: 'json' };
    for (let cursorMark = '*'; ; ) {
      const parameters = new URLSearchParams({ ...query, cursorMark, ...(filter === undefined ? {} : { fq: filter }) });
      const answer = await http.get(`${encodeURIComponent(core)}/select?${parameters}`, signal);
      if (answer.status !== 200) throw refusal(answer, core, http.address);
      // Versions exceed what a JavaScript number holds.
      const page = parsed(answer.text.replace(/("_version_"\s*:\s*)(-?\d+)/g, '$1"$2"')) as Page | undefined;
      const documents = page?.response?.docs ?? [];
      if (documents.length > 0) {
        yield documents.map((each) => ({ id: String(each[uniqueKey]), seen: { version: String(each['_version_'] ?? '') } }));
      }
      if (page?.nextCursorMark === undefined || page.nextCursorMark === cursorMark) return;
      cursorMark = page.nextCursorMark;
    }
  }

  /** One request each: Solr gives up a request at the first document that has changed. */
  async remove(held: readonly Held[], signal: AbortSignal): Promise<number> {
    let removed = 0;
    for (let from = 0; from < held.length; from += REMOVALS_AT_ONCE) {
      const answers = await Promise.all(held.slice(from, from + REMOVALS_AT_ONCE).map((each) => this.#removeOne(each, signal)));
      removed += answers.filter(Boolean).length;
    }
    await this.#commit(signal);
    return removed;
  }

  async #commit(signal: AbortSignal): Promise<void> {
    const { http, core } = this.#parts;
    const answer = await http.post(`${encodeURIComponent(core)}/update?commit=true&wt=json`, '{}', signal);
    if (answer.status !== 200) throw refusal(answer, core, http.address);
  }

  async #removeOne({ id, seen }: Held, signal: AbortSignal): Promise<boolean> {
    const { http, core } = this.#parts;
    const version = seen?.['version'];
    const guard = version === undefined || version === '' ? '' : `,"_version_":${version}`;
    const answer = await http.post(`${encodeURIComponent(core)}/update?wt=json`, `{"delete":{"id":${JSON.stringify(id)}${guard}}}`, signal);
    if (answer.status === 200) return true;
    if (answer.status === CONFLICT) return false;
    throw refusal(answer, core, http.address);
  }
}
