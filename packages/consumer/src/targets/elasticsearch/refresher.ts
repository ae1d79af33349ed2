// When what was written can be searched: mongo-connector's autoCommitInterval. Not given, each index decides by its own
// refresh_interval; 0, each batch is searchable when it is acknowledged; N, what was written is refreshed every N seconds.
import type { Client } from '@elastic/elasticsearch';

/** Names go into the request's path, which a server bounds by 4 KB. */
const NAMES_PER_REQUEST = 10;
const CLOSE_TIMEOUT_MS = 5_000;

export class Refresher {
  readonly #client: Client;
  readonly #intervalMs: number;
  readonly #written = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(client: Client, intervalMs: number) {
    this.#client = client;
    this.#intervalMs = intervalMs;
  }

  /** These indices were written to. */
  touch(indices: Iterable<string>): void {
    for (const index of indices) this.#written.add(index);
    if (this.#timer !== undefined || this.#written.size === 0 || this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#refresh();
    }, this.#intervalMs);
    this.#timer.unref();
  }

  /** Refreshes what is left. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#refresh();
  }

  async #refresh(): Promise<void> {
    const names = [...this.#written];
    this.#written.clear();
    for (let from = 0; from < names.length; from += NAMES_PER_REQUEST) {
      const some = names.slice(from, from + NAMES_PER_REQUEST);
      const path = `/${some.map(encodeURIComponent).join(',')}/_refresh`;
      const params = { method: 'POST', path, querystring: { ignore_unavailable: true, filter_path: '_shards.failed' } };
      try {
        await this.#client.transport.request(params, { requestTimeout: CLOSE_TIMEOUT_MS });
      } catch {
        // Writing says what is wrong with the server; this is asked for again.
        this.touch(some);
      }
    }
  }
}
