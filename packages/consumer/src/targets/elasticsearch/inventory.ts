// What an index holds: all ids at one point in time, and deletes of what has not changed since.
// https://www.elastic.co/guide/en/elasticsearch/reference/8.19/paginate-search-results.html#search-after
import type { Client } from '@elastic/elasticsearch';
import { documentId } from '../document-id.js';
import type { Held, Inventory } from '../inventory.js';
import { elasticsearchFailure, statusOf } from './failures.js';

const PORTION = 5_000;
const KEEP_ALIVE = '5m';

interface Hit {
  readonly _index: string;
  readonly _id: string;
  readonly _seq_no: number;
  readonly _primary_term: number;
  readonly sort: readonly unknown[];
}

interface Page {
  readonly pit_id?: string;
  readonly hits: { readonly hits?: readonly Hit[] };
}

export class IndexInventory implements Inventory {
  /** The index, or the alias. */
  readonly place: string;
  readonly #client: Client;
  readonly #address: string;

  constructor(client: Client, index: string, address: string) {
    this.#client = client;
    this.place = index;
    this.#address = address;
  }

  idOf(key: string): string {
    return documentId(key);
  }

  async *scan(signal: AbortSignal): AsyncGenerator<readonly Held[]> {
    const path = `/${encodeURIComponent(this.place)}`;
    // What is not searchable yet is counted too.
    if ((await this.#request<object>({ method: 'POST', path: `${path}/_refresh` }, signal)) === undefined) return;
    const opened = await this.#request<{ id: string }>(
      { method: 'POST', path: `${path}/_pit`, querystring: { keep_alive: KEEP_ALIVE } },
      signal,
    );
    let id = opened?.id;
    try {
      for (let after: readonly unknown[] | undefined; id !== undefined; ) {
        const body = { size: PORTION, sort: ['_shard_doc'], _source: false, seq_no_primary_term: true, track_total_hits: false };
        const search = { ...body, pit: { id, keep_alive: KEEP_ALIVE }, ...(after === undefined ? {} : { search_after: after }) };
        const page: Page | undefined = await this.#request<Page>({ method: 'POST', path: '/_search', body: search }, signal);
        const hits = page?.hits.hits ?? [];
        if (hits.length === 0) return;
        yield hits.map(({ _id, _index, _seq_no, _primary_term }) => ({
          id: _id,
          seen: { _index, if_seq_no: _seq_no, if_primary_term: _primary_term },
        }));
        after = hits.at(-1)?.sort;
        id = page?.pit_id ?? id;
      }
    } finally {
      await this.#request<object>({ method: 'DELETE', path: '/_pit', body: { id } }, signal).catch(() => undefined);
    }
  }

  async remove(held: readonly Held[], signal: AbortSignal): Promise<number> {
    const lines = held.map(({ id, seen }) => `${JSON.stringify({ delete: { _id: id, ...seen } })}\n`).join('');
    const params = { method: 'POST', path: '/_bulk', querystring: { filter_path: 'items.*.status' }, bulkBody: lines };
    const answer = await this.#request<{ items?: readonly { readonly delete: { readonly status: number } }[] }>(params, signal);
    return (answer?.items ?? []).filter((item) => item.delete.status === 200).length;
  }

  /** Undefined when there is no such index. */
  async #request<T>(params: Parameters<Client['transport']['request']>[0], signal: AbortSignal): Promise<T | undefined> {
    try {
      return await this.#client.transport.request<T>(params, { signal });
    } catch (error) {
      if (statusOf(error) === 404) return undefined;
      throw elasticsearchFailure(error, this.#address);
    }
  }
}
