// The watermark against a model: a producer that publishes in transactions, a topic of checkpoints that is read late, partitions that end somewhere else with each
// answer, and a group that commits when it likes. Whatever is said to be applied is committed.
import { Position } from '@tailwater/schema';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GroupWatermark } from '#consumer/watermark/group-watermark.js';
import { PublishedState } from '#consumer/watermark/published-state.js';
import { positionMessage, snapshotMessage, timeMessage, topicMessage } from '#producer/checkpoint/checkpoint-record.js';
import '#test/support/property-seed.js';

const SOURCE = 'rs0';
const NAMESPACES = ['shop.a', 'shop.b'];
const PARTITIONS = 2;

type Step =
  | { readonly kind: 'publish'; readonly namespace: number; readonly partition: number; readonly events: number; readonly ordinal: number }
  | { readonly kind: 'rest' }
  | { readonly kind: 'time' }
  | { readonly kind: 'copy'; readonly namespace: number; readonly isDone: boolean }
  | { readonly kind: 'session' }
  | { readonly kind: 'read'; readonly records: number }
  | { readonly kind: 'commit'; readonly namespace: number }
  | { readonly kind: 'look'; readonly isUrgent: boolean; readonly lost: number; readonly between: readonly Step[] };

const place = { namespace: fc.nat(NAMESPACES.length - 1), partition: fc.nat(PARTITIONS - 1) };
const simple: fc.Arbitrary<Step>[] = [
  fc.record({ kind: fc.constant('publish' as const), ...place, events: fc.integer({ min: 1, max: 3 }), ordinal: fc.nat(2) }),
  fc.record({ kind: fc.constant('rest' as const) }),
  fc.record({ kind: fc.constant('time' as const) }),
  fc.record({ kind: fc.constant('copy' as const), namespace: place.namespace, isDone: fc.boolean() }),
  fc.record({ kind: fc.constant('session' as const) }),
  fc.record({ kind: fc.constant('read' as const), records: fc.integer({ min: 1, max: 8 }) }),
  fc.record({ kind: fc.constant('commit' as const), namespace: place.namespace }),
];
const steps = fc.array(
  fc.oneof(
    ...simple,
    fc.record({
      kind: fc.constant('look' as const),
      isUrgent: fc.boolean(),
      lost: fc.nat(3),
      between: fc.array(fc.oneof(...simple), { maxLength: 4 }),
    }),
  ),
  { maxLength: 60, size: 'max' },
);

class Model {
  readonly state = new PublishedState();
  readonly watermark: GroupWatermark;
  readonly #log: { key: Buffer; value: Buffer | null }[] = [];
  readonly #events: { name: string; offset: number; namespace: string; position: Position }[] = [];
  readonly #ends = new Map<string, number>();
  readonly #committed = new Map<string, number>();
  #read = 0;
  #i = 1;
  #session = 0;
  #published = 0;
  #passed = new Position(1, 1);
  #rest: { readonly namespace: string; readonly partition: number; readonly events: number } | undefined;
  readonly #copies = new Map<string, Position>();
  #between: readonly Step[] = [];
  #lost = 0;

  constructor() {
    const ends = async (partitions: readonly { topic: string; partition: number }[]) => {
      const answer = new Map<string, number>();
      for (const [index, each] of partitions.entries()) {
        const name = `${each.topic}/${each.partition}`;
        // A leader that has just moved tells nothing.
        if (this.#lost === 0 || index % 3 !== this.#lost - 1) answer.set(name, this.#ends.get(name) ?? 0);
      }
      for (const step of this.#between) await this.take(step);
      return answer;
    };
    const committed = async () => new Map(this.#committed);
    this.watermark = new GroupWatermark(this.state, { ends, committed }, { prefix: 'tw', includes: () => true });
    for (const namespace of NAMESPACES) this.#log.push(topicMessage(SOURCE, namespace, { partitions: PARTITIONS, id: 'x' }));
  }

  async take(step: Step): Promise<void> {
    switch (step.kind) {
      case 'publish':
        return this.#publish(step);
      case 'rest':
        this.#finishTransaction();
        this.#i += 1;
        this.#passed = new Position(1, this.#i);
        this.#log.push(positionMessage(SOURCE, this.#passed, 0));
        return;
      case 'time':
        // While a transaction is read, nothing is said of its entry.
        this.#log.push(
          timeMessage(SOURCE, {
            committed: new Position(1, this.#i),
            passed: this.#rest === undefined ? this.#passed : undefined,
            writtenAtMs: 0,
            session: String(this.#session),
            published: this.#published,
          }),
        );
        return;
      case 'copy':
        return this.#copy(step);
      case 'session':
        [this.#session, this.#published] = [this.#session + 1, 0];
        return;
      case 'read':
        return this.read(step.records);
      case 'commit':
        return this.commit(NAMESPACES[step.namespace] as string);
      case 'look':
        [this.#between, this.#lost] = [step.between, step.lost];
        await this.watermark.look(step.isUrgent);
        this.#between = [];
        this.check();
    }
  }

  #publish({ namespace: index, partition, events, ordinal }: Extract<Step, { kind: 'publish' }>): void {
    const namespace = NAMESPACES[index] as string;
    this.#finishTransaction();
    this.#i += 1;
    for (let n = 0; n < events; n += 1) this.#append(namespace, partition, new Position(1, this.#i));
    this.#log.push(positionMessage(SOURCE, new Position(1, this.#i, ordinal), 0));
    if (ordinal === 0) this.#passed = new Position(1, this.#i);
    else this.#rest = { namespace, partition: 1 - partition, events };
  }

  /** What follows of a transaction, of which a part is published. */
  #finishTransaction(): void {
    if (this.#rest === undefined) return;
    const { namespace, partition, events } = this.#rest;
    for (let n = 0; n < events; n += 1) this.#append(namespace, partition, new Position(1, this.#i));
    this.#passed = new Position(1, this.#i);
    this.#rest = undefined;
  }

  /** What a copy brings is missing from its beginning on. */
  #copy({ namespace: index, isDone }: Extract<Step, { kind: 'copy' }>): void {
    const namespace = NAMESPACES[index] as string;
    const running = { state: 'running', ranges: null, documents: 0, total: 1, startedAtMs: 1, finishedAtMs: null } as const;
    const since = this.#copies.get(namespace);
    if (since === undefined && !isDone) {
      this.#finishTransaction();
      this.#log.push(snapshotMessage(SOURCE, namespace, running));
      this.#i += 1;
      this.#passed = new Position(1, this.#i);
      this.#copies.set(namespace, this.#passed);
    } else if (since !== undefined && isDone) {
      this.#append(namespace, 0, since);
      this.#log.push(snapshotMessage(SOURCE, namespace, { ...running, state: 'done', ranges: [], finishedAtMs: 2 }));
      this.#copies.delete(namespace);
    }
  }

  #append(namespace: string, partition: number, position: Position): void {
    const name = `tw.${namespace}/${partition}`;
    // A marker of the transaction lies between.
    const offset = (this.#ends.get(name) ?? 0) + 1;
    this.#ends.set(name, offset + 1);
    this.#events.push({ name, offset, namespace, position });
    this.#published += 1;
  }

  read(records: number): void {
    for (const { key, value } of this.#log.slice(this.#read, this.#read + records))
      this.state.take(String(key), value, BigInt(this.#read++));
  }

  commit(namespace: string): void {
    for (let partition = 0; partition < PARTITIONS; partition += 1) {
      const name = `tw.${namespace}/${partition}`;
      this.#committed.set(name, this.#ends.get(name) ?? 0);
    }
  }

  check(): void {
    for (const namespace of NAMESPACES) {
      const applied = this.watermark.applied(namespace, SOURCE);
      if (applied === undefined) continue;
      const missing = this.#events.filter((event) => {
        return (
          event.namespace === namespace && event.position.compare(applied) <= 0 && (this.#committed.get(event.name) ?? 0) <= event.offset
        );
      });
      expect(missing).toEqual([]);
    }
  }

  async atRest(): Promise<void> {
    for (const [namespace] of NAMESPACES.entries()) await this.take({ kind: 'copy', namespace, isDone: true });
    await this.take({ kind: 'rest' });
    await this.take({ kind: 'time' });
    this.read(this.#log.length);
    for (const namespace of NAMESPACES) this.commit(namespace);
    for (let look = 0; look < 3; look += 1) await this.take({ kind: 'look', isUrgent: true, lost: 0, between: [] });
    for (const namespace of NAMESPACES) expect(String(this.watermark.applied(namespace, SOURCE))).toBe(String(this.#passed));
  }
}

describe('the watermark of a group', () => {
  it('says of nothing that it is applied before it is committed, and comes to the end', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (schedule) => {
        const model = new Model();
        for (const step of schedule) await model.take(step);
        model.check();
        await model.atRest();
      }),
      { numRuns: 2_000 },
    );
  });
});
