// The end-to-end watermark of a group: the cluster time up to which everything is applied, by namespace. First it is noted up to where the source is published, then
// where the partitions end; when the group has committed these offsets, everything up to there is applied (docs/adr/0045-end-to-end-watermark.md).
import { type Position, parseNamespace, topicName } from '@tailwater/schema';
import { partitionName, type TopicPartition } from '../subscribe/subscription.js';
import type { PublishedState } from './published-state.js';

/** What the group and its topics are asked. Of a partition that does not tell at the moment there is no answer; each rejects when a broker is away. */
export interface WatermarkOffsets {
  /** Behind the last record of each, committed or not; 0 of a partition that holds none. */
  ends(partitions: readonly TopicPartition[]): Promise<ReadonlyMap<string, number>>;
  committed(partitions: readonly TopicPartition[]): Promise<ReadonlyMap<string, number>>;
}

export interface WatermarkScope {
  readonly prefix: string;
  /** Whether the group reads the namespace. */
  readonly includes: (namespace: string) => boolean;
}

interface Sample {
  /** Up to where each source was published. */
  readonly published: ReadonlyMap<string, Position>;
  readonly quiet: string;
  readonly topicId: string;
  readonly required: ReadonlyMap<string, TopicPartition & { readonly offset: number }>;
}

/** Up to where a namespace is applied. */
interface Applied {
  /** By source. */
  positions: ReadonlyMap<string, Position>;
  /** What was the newest commit time of each source when it was looked at. */
  quiet: string;
}

export class GroupWatermark {
  readonly #state: PublishedState;
  readonly #offsets: WatermarkOffsets;
  readonly #scope: WatermarkScope;
  readonly #applied = new Map<string, Applied>();
  readonly #samples = new Map<string, Sample>();

  constructor(state: PublishedState, offsets: WatermarkOffsets, scope: WatermarkScope) {
    this.#state = state;
    this.#offsets = offsets;
    this.#scope = scope;
  }

  /** The namespaces that the group reads. */
  get namespaces(): string[] {
    return [...this.#state.namespaces()].filter((namespace) => this.#scope.includes(namespace));
  }

  /** Up to where the namespace is applied of this source; undefined while that is not known. */
  applied(namespace: string, source: string): Position | undefined {
    return this.#applied.get(namespace)?.positions.get(source);
  }

  /**
   * Asks where the group stands.
   *
   * @param isUrgent - somebody waits: also what was published since the newest commit time counts
   */
  async look(isUrgent: boolean): Promise<void> {
    this.#forget();
    const begun = this.namespaces.flatMap((namespace) => this.#begin(namespace, isUrgent) ?? []);
    if (begun.length > 0) {
      // After it was noted what is published, and not before.
      const ends = await this.#offsets.ends(begun.flatMap(({ partitions }) => partitions));
      for (const { namespace, partitions, ...sample } of begun) {
        const required = new Map<string, TopicPartition & { readonly offset: number }>();
        for (const each of partitions) {
          const offset = ends.get(partitionName(each));
          if (offset === undefined) break;
          required.set(partitionName(each), { ...each, offset });
        }
        if (required.size === partitions.length) this.#samples.set(namespace, { ...sample, required });
      }
    }
    await this.#settle();
  }

  #begin(namespace: string, isUrgent: boolean) {
    if (this.#samples.has(namespace) || this.#state.unfinished(namespace) !== undefined) return undefined;
    const published = new Map<string, Position>();
    const quiets: string[] = [];
    const known = this.#applied.get(namespace);
    const rested = new Map<string, Position>();
    for (const name of this.#state.sourcesOf(namespace)) {
      const { covered, quiet } = this.#state.sources.get(name) ?? {};
      if (covered === undefined) return undefined;
      published.set(name, covered);
      if (quiet?.covered !== undefined) rested.set(name, quiet.covered);
      quiets.push(`${name} ${quiet?.key ?? ''}`);
    }
    const quiet = quiets.join();
    // Nothing was published since it was looked at, and what was there then is applied.
    if (known?.quiet === quiet && rested.size === published.size) known.positions = later(known.positions, rested);
    const isNew = [...published].some(([name, position]) => (known?.positions.get(name)?.compare(position) ?? -1) < 0);
    if (!isNew || !(isUrgent || known?.quiet !== quiet)) return undefined;
    const [database, ...rest] = namespace.split('.');
    const topic = topicName(this.#scope.prefix, parseNamespace(namespace) ?? { database: database ?? '', collection: rest.join('.') });
    const { partitions: count = 0, id: topicId = '' } = this.#state.topics.get(namespace) ?? {};
    return { namespace, published, quiet, topicId, partitions: Array.from({ length: count }, (_, partition) => ({ topic, partition })) };
  }

  async #settle(): Promise<void> {
    const open = [...this.#samples.values()].flatMap(({ required }) => [...required.values()].filter(({ offset }) => offset > 0));
    const committed = open.length === 0 ? new Map<string, number>() : await this.#offsets.committed(open);
    for (const [namespace, { published, quiet, required }] of this.#samples) {
      const isApplied = [...required].every(([name, { offset }]) => offset === 0 || (committed.get(name) ?? 0) >= offset);
      if (!isApplied) continue;
      this.#samples.delete(namespace);
      this.#applied.set(namespace, { positions: published, quiet });
    }
  }

  /** Names that come and go are not kept. */
  #forget(): void {
    const known = new Set(this.#state.namespaces());
    for (const namespace of this.#applied.keys()) if (!known.has(namespace)) this.#applied.delete(namespace);
    // Offsets of a topic that was made anew are others.
    for (const [namespace, { topicId }] of this.#samples) {
      if (topicId !== (this.#state.topics.get(namespace)?.id ?? '')) this.#samples.delete(namespace);
    }
  }
}

function later(a: ReadonlyMap<string, Position>, b: ReadonlyMap<string, Position>): ReadonlyMap<string, Position> {
  return new Map(
    [...b].map(([name, position]) => [name, (a.get(name)?.compare(position) ?? -1) > 0 ? (a.get(name) as Position) : position]),
  );
}
