// What the checkpoint topic says of how far the source is published (promise A): everything at or before a position is in the topics, at offsets that were
// there when the position was committed. docs/adr/0045-end-to-end-watermark.md
import { Position, parseCheckpointKey } from '@tailwater/schema';

/** Records of commit times that are kept of a source: who waits looks at each read, which rarely brings two. */
const KEPT_TIMES = 16;
const UINT32_MAX = 0xffff_ffff;

/** The source’s commit point as it was told in one record. */
export interface CommitTime {
  readonly offset: bigint;
  readonly committed: Position;
}

/** As of the newest commit time: while a later one has the same `key`, nothing was published in between. */
export interface Quiet {
  readonly key: string;
  readonly covered: Position | undefined;
}

/** One source that publishes to the prefix: a replica set, or a sharded cluster. */
export class PublishedSource {
  /** Everything at or before this entry is published; its ordinal is 0. */
  covered: Position | undefined;
  readonly times: CommitTime[] = [];
  /** When the newest commit time was written, by the producer’s clock, in milliseconds since the epoch. */
  writtenAtMs: number | undefined;
  quiet: Quiet | undefined;
  /** Namespaces that are copied. */
  readonly copied = new Set<string>();
  /** Namespaces that are swept. */
  readonly swept = new Set<string>();
  hasOpenGap = false;

  get committed(): Position | undefined {
    return this.times.at(-1)?.committed;
  }
}

interface Layout {
  readonly partitions: number;
  /** Another when the topic was made anew. */
  readonly id: string;
  readonly sources: ReadonlySet<string>;
}

type Fields = Readonly<Record<string, unknown>>;

export class PublishedState {
  readonly sources = new Map<string, PublishedSource>();
  readonly #topics = new Map<string, { partitions: number; id: string; sources: Set<string> }>();

  /** By namespace: those that have a topic, and who publishes to it. */
  get topics(): ReadonlyMap<string, Layout> {
    return this.#topics;
  }

  /** Every namespace that has a topic, or is about to have one. */
  *namespaces(): Generator<string> {
    yield* this.#topics.keys();
    for (const { copied } of this.sources.values()) for (const namespace of copied) if (!this.#topics.has(namespace)) yield namespace;
  }

  /** The sources of a namespace. */
  sourcesOf(namespace: string): string[] {
    const known = new Set(this.#topics.get(namespace)?.sources);
    for (const [name, { copied }] of this.sources) if (copied.has(namespace)) known.add(name);
    return [...known];
  }

  /** Why what was applied of the namespace is not all that it should be; undefined when it is. */
  unfinished(namespace: string): string | undefined {
    for (const name of this.sourcesOf(namespace)) {
      const source = this.sources.get(name);
      if (source?.hasOpenGap) return `a gap in the oplog of ${name} is being healed`;
      if (source?.copied.has(namespace)) return `the copy of ${namespace} is under way`;
      if (source?.swept.has(namespace)) return `what was deleted of ${namespace} is being looked for`;
    }
    return undefined;
  }

  /**
   * Takes the next record.
   *
   * @throws TypeError for a record that this release does not understand
   */
  take(key: string, value: Buffer | null, offset: bigint): void {
    const parsed = parseCheckpointKey(key);
    if (parsed === undefined) return;
    const { source: name, kind, namespace } = parsed;
    const source = this.sources.get(name) ?? new PublishedSource();
    this.sources.set(name, source);
    const fields = value === null ? undefined : fieldsOf(value);
    switch (kind) {
      case 'position':
        source.covered = fields && coveredBy(positionOf(fields['position']), source.covered);
        break;
      case 'time':
        if (fields !== undefined) takeTime(source, fields, offset);
        break;
      case 'snapshot':
        setIn(source.copied, namespace, fields?.['state'] === 'running');
        break;
      case 'sweep':
        setIn(source.swept, namespace, fields?.['state'] === 'pending');
        break;
      case 'gap':
        source.hasOpenGap = fields !== undefined && fields['healedAtMs'] === null;
        break;
      case 'partitions':
        this.#takeTopic(name, namespace, fields);
        break;
    }
  }

  #takeTopic(source: string, namespace: string, fields: Fields | undefined): void {
    const topic = this.#topics.get(namespace) ?? { partitions: 0, id: '', sources: new Set<string>() };
    setIn(topic.sources, source, fields !== undefined);
    if (fields !== undefined) [topic.partitions, topic.id] = [Number(fields['partitions']), String(fields['topicId'] ?? '')];
    if (topic.sources.size > 0) this.#topics.set(namespace, topic);
    else this.#topics.delete(namespace);
  }
}

function takeTime(source: PublishedSource, fields: Fields, offset: bigint): void {
  const { passed, session, published } = fields;
  if (passed !== undefined) source.covered = positionOf(passed);
  source.times.push({ offset, committed: positionOf(fields['committed']) });
  if (source.times.length > KEPT_TIMES) source.times.shift();
  source.writtenAtMs = Number(fields['writtenAtMs']);
  source.quiet = { key: `${String(session)}/${String(published)}`, covered: source.covered };
}

/** Up to where entries are published as a whole. A position inside an entry may be followed by other operations of the same transaction. */
function coveredBy({ t, i, ordinal }: Position, before: Position | undefined): Position {
  // A commit time has said that nothing follows.
  if (ordinal === 0 || (before?.t === t && before.i === i)) return new Position(t, i);
  return i > 0 ? new Position(t, i - 1) : new Position(t - 1, UINT32_MAX);
}

function setIn(set: Set<string>, name: string, isIn: boolean): void {
  if (isIn) set.add(name);
  else set.delete(name);
}

function fieldsOf(value: Buffer): Fields {
  const parsed: unknown = JSON.parse(value.toString('utf8'));
  if (typeof parsed !== 'object' || parsed === null) throw new TypeError('it is no JSON object');
  return parsed as Fields;
}

function positionOf(value: unknown): Position {
  const position = Position.parse(String(value));
  if (position === undefined) throw new TypeError(`its position is ${String(value)}`);
  return position;
}
