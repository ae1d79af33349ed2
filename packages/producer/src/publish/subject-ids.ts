// The id of the change events' schema under each topic's subject in a schema registry. Each is asked for once in a process's life,
// before the topic's first record: an event costs five bytes, and a registry that is away costs nothing but new topics.
import type { SchemaRegistry } from '@tailwater/runtime';
import { changeEventSchema, confluentHeader } from '@tailwater/schema';

export class SubjectIds {
  readonly #registry: Pick<SchemaRegistry, 'register'>;
  readonly #headers = new Map<string, Buffer>();

  constructor(registry: Pick<SchemaRegistry, 'register'>) {
    this.#registry = registry;
  }

  /**
   * What the values of a topic begin with. The schema is registered under `<topic>-value`, as TopicNameStrategy names it.
   *
   * @throws TailwaterError as `SchemaRegistry.register`
   */
  async headerOf(topic: string): Promise<Buffer> {
    const known = this.#headers.get(topic);
    if (known !== undefined) return known;
    const header = confluentHeader(await this.#registry.register(`${topic}-value`, changeEventSchema()));
    this.#headers.set(topic, header);
    return header;
  }
}
