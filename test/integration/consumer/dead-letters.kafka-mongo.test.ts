// What a target refuses for good, and what cannot be decoded: put aside, while the rest goes on (promise E).
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { PipelineProcess, waitFor } from '@tailwater/devstack';
import { encodeChangeEvent, type Namespace, Position, topicName } from '@tailwater/schema';
import { BSON, type Document } from 'bson';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type DeadLetter, type DeadLetterMessage, encodeDeadLetter } from '#consumer/dead-letters/dead-letter.js';
import { DeadLetterCounter } from '#consumer/dead-letters/dead-letter-counter.js';
import { runConsumer } from './support/run-consumer.js';
import { PARTITIONS, World } from './support/world.js';

let world: World;
let number = 0;

beforeAll(async () => {
  world = await World.start();
});

afterEach(async () => {
  await world.stopConsumers();
});

afterAll(async () => {
  await world?.stop();
});

/** A target collection that refuses documents whose `version` is 5 or more. */
async function scene(): Promise<{ prefix: string; namespace: Namespace; accept: () => Promise<void> }> {
  number += 1;
  const [prefix, namespace] = [`dl${number}`, { database: `dl${number}`, collection: 'orders' }];
  await world.createTopic(prefix, namespace);
  const database = (await world.mongo.client()).db(namespace.database);
  await database.createCollection(namespace.collection, { validator: { version: { $lt: 5 } } });
  const accept = async () => {
    await database.command({ collMod: namespace.collection, validator: {} });
  };
  return { prefix, namespace, accept };
}

const documents = (ids: readonly number[], version: number): { document: Document }[] =>
  ids.map((id) => ({ document: { _id: id, version, text: 'x'.repeat(200) } }));
const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, index) => from + index);

const lettersOf = (prefix: string): Promise<DeadLetter[]> => world.lettersOf(prefix);
const keysOf = (letters: readonly DeadLetter[]): string[] => letters.map(({ record }) => String(record.key)).sort();
const args = (prefix: string) => ['--target', 'mongo', '--name', 'test', '--kafka', world.kafka.brokers.join(','), '--prefix', prefix];
const retryArgs = (prefix: string) => ['dead-letters', 'retry', ...args(prefix), '--target-url', world.mongo.uri, '--json'];

describe('dead letters', () => {
  test('refused changes and undecodable records are put aside with reason and origin, and the rest is applied', async () => {
    const { prefix, namespace } = await scene();
    const topic = topicName(prefix, namespace);
    const consumer = world.consumer(prefix);
    await world.publish(prefix, namespace, documents(range(0, 200), 1));
    await world.publish(prefix, namespace, documents(range(0, 100), 2));
    await world.untilCommitted(prefix, namespace);
    await world.publish(prefix, namespace, [...documents([7, 77, 1007], 9), { removed: 3 }]);
    await world.producer.send({ topic, messages: [{ key: '5', value: 'nonsense', partition: 2 }] });
    await world.publish(prefix, namespace, documents(range(300, 310), 1));
    await world.untilCommitted(prefix, namespace);

    const stored = await world.stored(namespace);
    const expected = [...range(0, 3), ...range(4, 200), ...range(300, 310)].map((id) => [id, id < 100 ? 2 : 1]);
    // The state before the refused change, not another one.
    expect([...stored.values()].map(({ _id, version }) => [_id, version]).sort((a, b) => a[0] - b[0])).toEqual(expected);
    const { read, applied, superseded, filtered, deadLettered, skipped, returned } = consumer.pipeline.tally;
    expect({ read, deadLettered, skipped, returned }).toEqual({ read: 315, deadLettered: 4, skipped: 0, returned: 0 });
    expect(applied + superseded + filtered + deadLettered).toBe(read);

    const letters = await lettersOf(prefix);
    expect(keysOf(letters)).toEqual(['1007', '5', '7', '77']);
    const refused = letters.find(({ record }) => String(record.key) === '77');
    expect(refused).toMatchObject({ kind: 'refused', code: '121', target: 'mongo', topic, destination: `${namespace.database}.orders` });
    expect(letters.find(({ kind }) => kind === 'undecodable')).toMatchObject({ code: 'TW1501', partition: 2 });
    const shown = JSON.parse(await runConsumer(['dead-letters', 'show', refused?.id ?? '', ...args(prefix), '--json']));
    expect(shown).toMatchObject({ key: '77', op: 'insert', document: { _id: 77, version: 9 } });
  });

  test('skip counts and goes on', async () => {
    const { prefix, namespace } = await scene();
    const consumer = world.consumer(prefix, { onError: 'skip' });
    await world.publish(prefix, namespace, [...documents(range(0, 20), 1), ...documents([7], 9)]);
    await world.producer.send({ topic: topicName(prefix, namespace), messages: [{ key: '9', value: 'x', partition: 0 }] });
    await world.untilCommitted(prefix, namespace);
    expect(consumer.pipeline.tally).toMatchObject({ read: 22, skipped: 2, deadLettered: 0 });
    expect(await lettersOf(prefix)).toEqual([]);
  });

  test('documents for which MongoDB refuses a whole command are found, and the rest of it is applied', async () => {
    const { prefix, namespace } = await scene();
    // 250 levels: the producer's MongoDB may hold what this one does not.
    let deep: Document = { end: 1 };
    for (let level = 0; level < 250; level++) deep = { deep };
    world.consumer(prefix);
    await world.publish(prefix, namespace, documents([50], 1));
    await world.untilCommitted(prefix, namespace);
    await world.publish(prefix, namespace, [
      ...documents(range(0, 50), 1),
      ...documents(range(51, 300), 1),
      { document: { _id: 50, version: 2, ...deep } },
    ]);
    await world.untilCommitted(prefix, namespace);
    expect([...(await world.stored(namespace)).keys()].sort((a, b) => Number(a) - Number(b))).toEqual(range(0, 300));
    expect(keysOf(await lettersOf(prefix))).toEqual(['50']);
  });

  test('a process that is killed in the midst of refusals forgets none of them and repeats none', async () => {
    const { prefix, namespace } = await scene();
    const start = () =>
      PipelineProcess.start('consumer', [...args(prefix), '--target-url', world.mongo.uri, '--session-timeout', '6', '--batch-size', '20']);
    const ids = range(0, 1500);
    const poison = ids.filter((id) => id % 3 === 0);
    for (let from = 0; from < 1500; from += 300) {
      await world.publish(
        prefix,
        namespace,
        range(from, from + 300).flatMap((id) => documents([id], id % 3 === 0 ? 9 : 1)),
      );
    }
    const first = await start();
    try {
      await waitFor(() => lettersOf(prefix), { describe: 'a letter', until: (letters) => letters.length > 0, timeoutMs: 60_000 });
      await first.kill9();
      await first.start();
      await world.untilCommitted(prefix, namespace);
    } finally {
      await first.stop();
    }
    expect(keysOf(await lettersOf(prefix))).toEqual(poison.map(String).sort());
    const stored = [...(await world.stored(namespace)).keys()].sort((a, b) => Number(a) - Number(b));
    expect(stored).toEqual(ids.filter((id) => id % 3 !== 0));
  });

  test('letters of a topic that was made anew are told, and applied over nothing', async () => {
    const { prefix, namespace, accept } = await scene();
    const consumer = world.consumer(prefix);
    await world.publish(prefix, namespace, documents([1], 9));
    await world.untilCommitted(prefix, namespace);
    await consumer.stop();
    await world.deleteTopic(prefix, namespace);
    await world.createTopic(prefix, namespace);
    // The same key at the same offset, and a later state.
    await world.publish(prefix, namespace, documents([1], 4));
    await accept();
    expect(JSON.parse(await runConsumer([...retryArgs(prefix), '--all', '--dry-run']))).toMatchObject({
      results: [{ standing: 'remade' }],
    });
    await expect(runConsumer([...retryArgs(prefix), '--all'])).rejects.toMatchObject({ code: 'TW1357' });
    expect(keysOf(await lettersOf(prefix))).toEqual(['1']);
    expect((await world.stored(namespace)).size).toBe(0);
  });

  test('retry applies what is still the newest state, overwrites nothing newer, and leaves what is refused again', async () => {
    const { prefix, namespace, accept } = await scene();
    const consumer = world.consumer(prefix);
    await world.publish(prefix, namespace, documents(range(0, 5), 1));
    await world.untilCommitted(prefix, namespace);
    await world.publish(prefix, namespace, documents([0, 1, 2], 9));
    await world.untilCommitted(prefix, namespace);
    await world.publish(prefix, namespace, [...documents([1], 4), { removed: 2 }]);
    const topic = topicName(prefix, namespace);
    await world.producer.send({ topic, messages: [{ key: '3', value: 'nonsense', partition: 1 }] });
    await world.untilCommitted(prefix, namespace);
    expect(keysOf(await lettersOf(prefix))).toEqual(['0', '1', '2', '3']);
    const counter = new DeadLetterCounter(world.client, world.letters(prefix).topic);
    const count = () => counter.count(60_000, new AbortController().signal);
    expect(await count()).toEqual({ count: 4, exact: true });
    // Nothing could be read in no time.
    const hasty = new DeadLetterCounter(world.client, world.letters(prefix).topic);
    const bound = await hasty.count(0, new AbortController().signal);
    expect(bound).toEqual({ count: expect.any(Number), exact: false });
    expect(bound.count).toBeGreaterThanOrEqual(4);

    await expect(runConsumer([...retryArgs(prefix), '--all'])).rejects.toMatchObject({ code: 'TW1353' });
    await consumer.stop();
    await expect(runConsumer(retryArgs(prefix))).rejects.toMatchObject({ code: 'TW1355' });
    await expect(runConsumer([...retryArgs(prefix), '--all', '--rename', `${namespace.database}.*=other.*`])).rejects.toMatchObject({
      code: 'TW1356',
    });
    await accept();
    await expect(runConsumer([...retryArgs(prefix), '--all'])).rejects.toMatchObject({ code: 'TW1357' });
    const versions = [...(await world.stored(namespace)).values()].map(({ _id, version }) => [_id, version]).sort((a, b) => a[0] - b[0]);
    expect(versions).toEqual([
      [0, 9],
      [1, 4],
      [3, 1],
      [4, 1],
    ]);
    const left = await lettersOf(prefix);
    expect(keysOf(left)).toEqual(['3']);
    expect(await count()).toEqual({ count: 1, exact: true });
    const status = ['status', '--kafka', world.kafka.brokers.join(','), '--prefix', prefix];
    expect(JSON.parse(await runConsumer([...status, '--json'])).groups).toMatchObject([{ deadLetters: { count: 1, exact: true } }]);
    expect(await runConsumer(status)).toMatch(/dead letters\n.* 1$/m);

    const [id = ''] = left.map((letter) => letter.id);
    const list = ['dead-letters', 'list', ...args(prefix)];
    expect(await runConsumer(list)).toContain(id);
    expect(JSON.parse(await runConsumer([...list, '--json', '--namespace', 'else.*'])).letters).toEqual([]);
    await expect(runConsumer(['dead-letters', 'discard', `${id}9`, ...args(prefix)])).rejects.toMatchObject({ code: 'TW1354' });
    expect(await runConsumer(['dead-letters', 'discard', id, ...args(prefix), '--dry-run'])).toContain('1 would be discarded');
    // Nobody to ask, and no --yes.
    await expect(runConsumer(['dead-letters', 'discard', id, ...args(prefix)])).rejects.toMatchObject({ code: 'TW1085', exitCode: 2 });
    expect(await runConsumer(['dead-letters', 'discard', id, ...args(prefix), '--yes'])).toBe('1 discarded\n');
    expect(await runConsumer(list)).toContain('No dead letters');
  });

  test('a broker that is away while a letter is on its way does not hold up a consumer that stops; nothing is lost', async () => {
    const { prefix, namespace } = await scene();
    await world.publish(prefix, namespace, documents(range(0, 50), 9));
    const target = world.mongoTarget();
    let refuse = () => {};
    const refused = new Promise<void>((resolve) => {
      refuse = resolve;
    });
    const apply = target.applyBatch.bind(target);
    let waiting = 0;
    target.applyBatch = async (changes, signal) => {
      waiting += 1;
      await refused;
      return apply(changes, signal);
    };
    const consumer = world.consumer(prefix, { target });
    await waitFor(() => waiting, { describe: 'a request', until: (count) => count > 0, timeoutMs: 60_000 });
    await world.kafka.kill9();
    refuse();
    const began = performance.now();
    await consumer.stop();
    expect(performance.now() - began).toBeLessThan(15_000);
    await world.kafka.start();
    world.consumer(prefix);
    await world.untilCommitted(prefix, namespace);
    expect(keysOf(await lettersOf(prefix))).toEqual(range(0, 50).map(String).sort());
  });

  test('many letters over a long topic cost one reading of it, and of themselves as often as a command needs', async () => {
    const { prefix, namespace, accept } = await scene();
    const { letters, topicBytes, letterBytes } = await manyLetters(prefix, namespace);
    await accept();
    const listed = await fetchedBy(['dead-letters', 'list', ...args(prefix), '--json']);
    expect(JSON.parse(listed.stdout).letters).toHaveLength(letters.length);
    // Which there are, and then what they say.
    expect(listed.bytes).toBeLessThan(2 * letterBytes + SLACK_BYTES);
    const [first, second] = letters.map(({ key }) => key) as [string, string];
    const shown = await fetchedBy(['dead-letters', 'show', second, ...args(prefix), '--json']);
    expect(JSON.parse(shown.stdout)).toMatchObject({ id: second });
    expect(shown.bytes).toBeLessThan(2 * letterBytes + SLACK_BYTES);
    await runConsumer(['dead-letters', 'discard', first, ...args(prefix), '--yes']);
    const retried = await fetchedBy([...retryArgs(prefix), '--all']);
    const { results } = JSON.parse(retried.stdout) as { results: { outcome: string }[] };
    expect(results.filter(({ outcome }) => outcome === 'applied')).toHaveLength(letters.length - 1);
    // What frames the records, and the batches that a fetch cuts off, come on top.
    expect(retried.bytes).toBeGreaterThan(topicBytes);
    expect(retried.bytes).toBeLessThan(1.25 * topicBytes + 3 * letterBytes + SLACK_BYTES);
    expect((await world.stored(namespace)).size).toBe(letters.length - 1);
    expect(await lettersOf(prefix)).toEqual([]);
  });
});

/** Of answers to other requests. */
const SLACK_BYTES = 2 * 1024 * 1024;
const BATCHES = 20;
const BATCH = 5_000;
const REFUSED = 50;

/** Records of which some were refused, in each batch: as a consumer would have left them. */
async function manyLetters(prefix: string, namespace: Namespace) {
  const topic = topicName(prefix, namespace);
  let sequence = 0;
  const record = (_id: string) => {
    const document = Buffer.from(BSON.serialize({ _id, text: 'x'.repeat(40) }));
    const position = new Position(1_700_000_000, ++sequence);
    const rest = { op: 'insert', origin: 'tail', wallTimeMs: 0, transaction: null, updateDescription: null } as const;
    return { key: Buffer.from(JSON.stringify(_id)), value: encodeChangeEvent({ ...rest, namespace, position, document }) };
  };
  const others = range(REFUSED, BATCH).map((n) => record(`other ${n}`));
  const why = {
    kind: 'refused',
    code: '121',
    reason: 'Document failed validation',
    target: 'mongo',
    position: '1:1',
    refusedAtMs: 1,
  } as const;
  const letters: DeadLetterMessage[] = [];
  const producer = world.client.producer({ idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  for (const batch of range(0, BATCHES)) {
    const [partition, begin] = [batch % PARTITIONS, Math.floor(batch / PARTITIONS) * BATCH];
    const refused = range(0, REFUSED).map((n) => record(`refused ${batch} ${n}`));
    await producer.send({ topic, acks: -1, messages: [...refused, ...others].map((each) => ({ ...each, partition })) });
    for (const [n, each] of refused.entries()) {
      const destination = `${namespace.database}.${namespace.collection}`;
      letters.push(encodeDeadLetter({ topic, partition }, { ...each, headers: {}, offset: String(begin + n) }, { ...why, destination }));
    }
  }
  await producer.disconnect();
  const writer = world.letters(prefix);
  await writer.send(letters);
  await writer.close();
  const bytesOf = (messages: readonly { key: Buffer | string; value: Buffer }[]): number =>
    messages.reduce((sum, { key, value }) => sum + key.length + value.length, 0);
  return {
    letters,
    topicBytes: BATCHES * bytesOf([...others, ...others.slice(0, REFUSED)]),
    letterBytes: bytesOf(letters) + letters.length * 500,
  };
}

/** Runs a command, and counts what its connections have brought: of MongoDB's, little. */
async function fetchedBy(command: readonly string[]): Promise<{ stdout: string; bytes: number }> {
  const sockets: Socket[] = [];
  const note = (message: unknown) => void sockets.push((message as { socket: Socket }).socket);
  subscribe('net.client.socket', note);
  try {
    const stdout = await runConsumer(command);
    return { stdout, bytes: sockets.reduce((sum, { bytesRead }) => sum + bytesRead, 0) };
  } finally {
    unsubscribe('net.client.socket', note);
  }
}
