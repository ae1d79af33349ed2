// Which letters a retry applies, which it removes, and what an interruption leaves.
import { createLogger } from '@tailwater/runtime';
import { encodeChangeEvent, formatNamespace, Position, SchemaIds } from '@tailwater/schema';
import { BSON } from 'bson';
import { describe, expect, test } from 'vitest';
import type { DeadLetter } from '#consumer/dead-letters/dead-letter.js';
import type { DeadLetterStatus } from '#consumer/dead-letters/kafka-newest-records.js';
import { type RetryParts, type RetryResult, retryDeadLetters } from '#consumer/dead-letters/retry-dead-letters.js';
import type { Transform } from '#consumer/transform/transform.js';
import { MemoryTarget, ORDERS } from '../support/changes.js';

const topic = 'tw.shop.orders';
const rest = { op: 'insert', origin: 'tail', wallTimeMs: 0, transaction: null, updateDescription: null } as const;

function letter(id: number, overrides: Partial<DeadLetter> = {}): DeadLetter {
  const document = Buffer.from(BSON.serialize({ _id: id }));
  const value = encodeChangeEvent({ ...rest, namespace: ORDERS, position: new Position(1, id), document });
  return {
    id: `${topic}/0/${id}`,
    topic,
    partition: 0,
    kind: 'refused',
    code: 'x',
    reason: 'y',
    target: 'memory',
    destination: formatNamespace(ORDERS),
    position: `1:${id}`,
    refusedAtMs: 0,
    record: { key: Buffer.from(String(id)), value, offset: String(id) },
    ...overrides,
  };
}

const letters = (count: number): DeadLetter[] => Array.from({ length: count }, (_, id) => letter(id));

function parts(target: MemoryTarget, letters: readonly DeadLetter[], overrides: Partial<RetryParts> = {}) {
  const removed: string[] = [];
  const results: RetryResult[] = [];
  const expected: string[] = [];
  let updates = 0;
  const given: RetryParts = {
    target,
    transform: (change) => change,
    schemas: new SchemaIds(),
    namespaceOf: () => ORDERS,
    async *deadLetters() {
      yield* letters;
    },
    newest: {
      expect: ({ id }) => {
        expected.push(id);
      },
      update: async () => {
        updates += 1;
      },
      statusOf: () => 'newest',
    },
    assertNoMembers: async () => undefined,
    remove: async (ids) => {
      removed.push(...ids);
    },
    onResult: async (result) => {
      results.push(result);
    },
    logger: createLogger({ name: 'test', level: 'silent' }),
    ...overrides,
  };
  return { given, removed, results, expected, updates: () => updates };
}

const never = new AbortController().signal;

describe('retryLetters', () => {
  test('applies the newest, removes them and the superseded, and leaves what is refused again or has no topic', async () => {
    const target = new MemoryTarget();
    target.judge = ({ key }) => (key === '3' ? { status: 'rejected', code: 'x', reason: 'still wrong', retriable: false } : undefined);
    const statuses: DeadLetterStatus[] = ['newest', 'superseded', 'gone', 'newest', 'newest', 'newest'];
    const filter: Transform = (change) => (change.key === '4' ? undefined : change);
    const unreadable = letter(5, { kind: 'undecodable', destination: undefined });
    const nonsense = { ...unreadable, record: { ...unreadable.record, value: Buffer.from('nonsense') } };
    const { given, removed, results } = parts(target, [...letters(5), nonsense], {
      transform: filter,
      newest: {
        expect: () => undefined,
        update: async () => undefined,
        statusOf: (each) => statuses[Number(each.record.offset)] as DeadLetterStatus,
      },
    });
    await retryDeadLetters(given, never);
    expect(Object.fromEntries(results.map(({ id, outcome }) => [id.slice(topic.length + 3), outcome]))).toEqual({
      0: 'applied',
      1: 'superseded',
      2: 'gone',
      3: 'refused',
      4: 'filtered',
      5: 'refused',
    });
    expect([...target.state.keys()]).toEqual(['0']);
    expect(removed.sort()).toEqual([`${topic}/0/0`, `${topic}/0/1`, `${topic}/0/4`]);
  });

  test('names all letters before it looks for newer records, and looks again before each portion', async () => {
    const { given, removed, results, expected, updates } = parts(new MemoryTarget(), letters(500));
    await retryDeadLetters(given, never);
    expect(expected).toHaveLength(500);
    expect(updates()).toBe(1 + 3);
    expect(results).toHaveLength(500);
    expect(removed).toHaveLength(500);
  });

  test('what ends between applying and removing leaves a letter that can be retried', async () => {
    const target = new MemoryTarget();
    const { given } = parts(target, letters(3), { remove: () => Promise.reject(new Error('killed')) });
    await expect(retryDeadLetters(given, never)).rejects.toThrow('killed');
    expect(target.state.size).toBe(3);
    const again = parts(target, letters(3));
    await retryDeadLetters(again.given, never);
    expect(again.results.map(({ outcome }) => outcome)).toEqual(['applied', 'applied', 'applied']);
  });

  test('applies nothing when one of them would go to another name than it was on its way to', async () => {
    const target = new MemoryTarget();
    const renamed: Transform = (change) => ({ ...change, namespace: { database: 'copy', collection: 'orders' } });
    const { given, removed } = parts(target, letters(2), { transform: renamed });
    await expect(retryDeadLetters(given, never)).rejects.toMatchObject({ code: 'TW1356' });
    expect([target.batches, removed]).toEqual([[], []]);
  });

  test('a delete is applied as one', async () => {
    const target = new MemoryTarget();
    const headers = { 'tw-op': 'delete', 'tw-position': '1:7', 'tw-origin': 'tail', 'tw-wall-time': '0' };
    const { given } = parts(target, [letter(7, { record: { key: Buffer.from('7'), value: null, headers, offset: '7' } })]);
    await retryDeadLetters(given, never);
    expect(target.batches.flat()).toMatchObject([{ kind: 'delete', key: '7' }]);
  });
});
