// Every record is in its partition once and in its order, whatever moves, refuses, or is lost on the way between the producer and the leaders.
import { type Broker, type BrokerConnections, BrokerRefusal, type BrokerRequest, ERROR, WireReader } from '@tailwater/runtime';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { OutgoingRecord, TopicRecords } from '#producer/encode/record-encoder.js';
import { PartitionWriter } from '#producer/publish/partition-writer.js';

const BROKERS = 3;
const PARTITIONS = 3;
const TOPICS = ['a', 'b'] as const;
/** Where a batch of records says what it is, from its start. */
const FIRST_SEQUENCE_AT = 53;
const COUNT_AT = 57;
const RECORDS_AT = 61;

/** What happens to one request to a leader. */
const fate = fc.constantFrom(
  'taken',
  'taken',
  'taken',
  'answer lost',
  'request lost',
  'taken late',
  'moved before',
  'moved after',
  'refused',
);
type Fate = typeof fate extends fc.Arbitrary<infer T> ? T : never;
const scenario = fc.record({
  fates: fc.array(fate, { maxLength: 40 }),
  moves: fc.array(fc.record({ partition: fc.nat(TOPICS.length * PARTITIONS - 1), leader: fc.nat(BROKERS - 1) }), { maxLength: 40 }),
  rounds: fc.array(
    fc.array(fc.record({ topic: fc.constantFrom(...TOPICS), partition: fc.nat(PARTITIONS - 1) }), { minLength: 1, maxLength: 8 }),
    {
      minLength: 1,
      maxLength: 6,
    },
  ),
});
type Scenario = typeof scenario extends fc.Arbitrary<infer T> ? T : never;

/** Brokers that take batches as Kafka does: by the number of their first record, each once, and only where they lead. */
class ModelCluster {
  readonly #leaders = new Map<string, number>();
  readonly #next = new Map<string, number>();
  readonly #last = new Map<string, number>();
  readonly #late: (() => void)[] = [];
  readonly logs = new Map<string, string[]>();
  readonly #scenario: Scenario;
  #fate = 0;
  #move = 0;

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
    for (const [index, name] of this.#names().entries()) this.#leaders.set(name, index % BROKERS);
  }

  get connections(): BrokerConnections {
    const brokers = Array.from(
      { length: BROKERS },
      (_, nodeId) => ({ send: (request: BrokerRequest<unknown>) => this.#send(nodeId, request) }) as Broker,
    );
    return {
      any: async () => brokers[0],
      node: async (nodeId: number) => brokers[nodeId],
      learn: () => undefined,
    } as unknown as BrokerConnections;
  }

  #names(): string[] {
    return TOPICS.flatMap((topic) => Array.from({ length: PARTITIONS }, (_, partition) => `${topic}/${partition}`));
  }

  async #send(nodeId: number, request: BrokerRequest<unknown>): Promise<unknown> {
    if (request.name === 'Metadata') {
      const topics = TOPICS.map((topic) => {
        const leaders = Array.from({ length: PARTITIONS }, (_, partition) => this.#leaders.get(`${topic}/${partition}`));
        return [topic, { topic, id: undefined, leaders }] as const;
      });
      return { brokers: [], topics: new Map(topics) };
    }
    const batches = batchesOf(request.body?.() as Buffer);
    const what: Fate = this.#scenario.fates[this.#fate++] ?? 'taken';
    await Promise.resolve();
    const lost = new Error('The connection was closed');
    if (what === 'request lost') throw lost;
    if (what === 'taken late') {
      this.#late.push(() => this.#take(nodeId, batches));
      throw lost;
    }
    if (what === 'refused')
      return batches.map(({ topic, partition }) => ({ topic, partition, error: ERROR.NOT_ENOUGH_REPLICAS_AFTER_APPEND }));
    if (what === 'moved before') this.#moveOne();
    const answers = this.#take(nodeId, batches);
    if (what === 'moved after') this.#moveOne();
    // A request that was on its way arrives beside the next one.
    this.#late.shift()?.();
    if (what === 'answer lost') throw lost;
    return answers;
  }

  #moveOne(): void {
    const move = this.#scenario.moves[this.#move++];
    if (move !== undefined) this.#leaders.set(this.#names()[move.partition] as string, move.leader);
  }

  #take(nodeId: number, batches: readonly Batch[]): { topic: string; partition: number; error: number }[] {
    return batches.map(({ topic, partition, firstSequence, keys }) => {
      const name = `${topic}/${partition}`;
      const answer = (error: number) => ({ topic, partition, error });
      if (this.#leaders.get(name) !== nodeId) return answer(ERROR.NOT_LEADER_OR_FOLLOWER);
      const next = this.#next.get(name) ?? 0;
      if (firstSequence === this.#last.get(name)) return answer(ERROR.NONE);
      if (firstSequence < next) return answer(ERROR.DUPLICATE_SEQUENCE_NUMBER);
      if (firstSequence > next) return answer(ERROR.OUT_OF_ORDER_SEQUENCE_NUMBER);
      this.#last.set(name, firstSequence);
      this.#next.set(name, next + keys.length);
      this.logs.set(name, [...(this.logs.get(name) ?? []), ...keys]);
      return answer(ERROR.NONE);
    });
  }
}

interface Batch {
  readonly topic: string;
  readonly partition: number;
  readonly firstSequence: number;
  readonly keys: readonly string[];
}

/** Reads a request's body: https://kafka.apache.org/protocol#The_Messages_Produce */
function batchesOf(body: Buffer): Batch[] {
  const from = new WireReader(body);
  from.string();
  from.int16();
  from.int32();
  return from
    .array(() => {
      const topic = from.string() ?? '';
      return from.array(() => {
        const partition = from.int32();
        const batch = from.blob() as Buffer;
        const keys: string[] = [];
        let at = RECORDS_AT;
        for (let left = batch.readInt32BE(COUNT_AT); left > 0; left -= 1) {
          // All lengths here are below 64: a byte each, doubled by the zigzag. Attributes, time and offset take one more each.
          const length = (batch[at] as number) >> 1;
          const keyLength = (batch[at + 4] as number) >> 1;
          keys.push(batch.toString('utf8', at + 5, at + 5 + keyLength));
          at += 1 + length;
        }
        return { topic, partition, firstSequence: batch.readInt32BE(FIRST_SEQUENCE_AT), keys };
      });
    })
    .flat();
}

test('a record is taken once and in order, by whoever leads its partition', async () => {
  await fc.assert(
    fc.asyncProperty(scenario, async (given) => {
      const cluster = new ModelCluster(given);
      const identity = { transactionalId: 't', producerId: 1, epoch: 0 };
      const writer = new PartitionWriter(cluster.connections, identity, {
        patienceMs: 60_000,
        signal: new AbortController().signal,
        pauseMs: 0,
      });
      const expected = new Map<string, string[]>();
      let n = 0;
      for (const round of given.rounds) {
        const topics: TopicRecords[] = round.map(({ topic, partition }) => {
          const key = String(n++);
          expected.set(`${topic}/${partition}`, [...(expected.get(`${topic}/${partition}`) ?? []), key]);
          const record: OutgoingRecord = { key: Buffer.from(key), value: null, partition };
          return { topic, messages: [record] };
        });
        await writer.write(topics);
      }
      expect(cluster.logs).toEqual(expected);
    }),
    { numRuns: 2000 },
  );
});

test('what time does not cure ends it at once', async () => {
  const broker = {
    send: async ({ name }: { name: string }) =>
      name === 'Metadata'
        ? { brokers: [], topics: new Map([['a', { topic: 'a', id: undefined, leaders: [0], replicas: 1 }]]) }
        : [{ topic: 'a', partition: 0, error: ERROR.INVALID_PRODUCER_EPOCH }],
  };
  const connections = { any: async () => broker, node: async () => broker, learn: () => undefined } as unknown as BrokerConnections;
  const identity = { transactionalId: 't', producerId: 1, epoch: 0 };
  const writer = new PartitionWriter(connections, identity, { patienceMs: 60_000, signal: new AbortController().signal });
  const record: OutgoingRecord = { key: Buffer.from('k'), value: null, partition: 0 };
  await expect(writer.write([{ topic: 'a', messages: [record] }])).rejects.toThrow(BrokerRefusal);
});
