// Writing through aliases: the alias has the name that readers know, the index behind it that name and a suffix. So an index can be
// replaced by another without anybody noticing: the alias is moved.
import type { Client } from '@elastic/elasticsearch';
import { errorCodes, TailwaterError } from '@tailwater/runtime';
import { refusalOf } from './failures.js';

const EXISTS = 'resource_already_exists_exception';
const NAME_TAKEN = 'invalid_alias_name_exception';

export class Aliases {
  readonly #client: Client;
  readonly #suffix: string;
  /** Those that were there when this process looked. */
  readonly #known = new Map<string, Promise<void>>();

  constructor(client: Client, suffix: string) {
    this.#client = client;
    this.#suffix = suffix;
  }

  /**
   * Sees to it that this name is an alias. One that is already, whatever its index, stays.
   *
   * @throws TailwaterError TW1344 when an index has the name; the client's errors otherwise
   */
  async ensure(name: string, signal: AbortSignal): Promise<void> {
    const known = this.#known.get(name) ?? this.#create(name, signal);
    this.#known.set(name, known);
    await known.catch((error: unknown) => {
      this.#known.delete(name);
      throw error;
    });
  }

  /** An alias may have been removed: look again. */
  forget(): void {
    this.#known.clear();
  }

  async #create(name: string, signal: AbortSignal): Promise<void> {
    const path = `/_alias/${encodeURIComponent(name)}`;
    if (await this.#client.transport.request<boolean>({ method: 'HEAD', path }, { signal })) return;
    const index = name + this.#suffix;
    try {
      const body = { aliases: { [name]: { is_write_index: true } } };
      await this.#client.transport.request({ method: 'PUT', path: `/${encodeURIComponent(index)}`, body }, { signal });
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal?.type === NAME_TAKEN)
        throw new TailwaterError(errorCodes.INDEX_IN_PLACE_OF_ALIAS, { index: name, alias: name }, { cause: error });
      if (refusal?.type !== EXISTS) throw error;
      // Another consumer was faster, or the index was left without its alias.
      const body = { actions: [{ add: { index, alias: name, is_write_index: true } }] };
      await this.#client.transport.request({ method: 'POST', path: '/_aliases', body }, { signal });
    }
  }
}
