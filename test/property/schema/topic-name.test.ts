// A topic's name says its namespace, for every name that MongoDB takes, and Kafka takes every one of them.
import { isTopicPrefix, type Namespace, namespaceOfTopic, topicName } from '@tailwater/schema';
import fc from 'fast-check';
import { expect, it } from 'vitest';

/** Any Unicode, and the pieces of which names are made that could be mistaken for escapes, separators or reserved ones. */
const name = fc.oneof(
  fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }),
  fc.string({
    unit: fc.constantFrom('_', '.', '-', 'x', '5f', '2e', '_x5f_', 'a', 'é', ' ', 'dead', 'letters'),
    minLength: 1,
    maxLength: 6,
  }),
);
const namespace: fc.Arbitrary<Namespace> = fc.record({ database: name, collection: name });
const prefix = fc.string({ unit: fc.constantFrom('a', 'Z', '0', '_', '-', '_x5f_'), minLength: 1, maxLength: 5 });

/** As org.apache.kafka.common.internals.Topic.unifyCollisionChars: Kafka refuses a second topic of the same unified name. */
const unified = (topic: string): string => topic.replaceAll('.', '_');

it('leads back to its namespace', () => {
  fc.assert(
    fc.property(prefix, namespace, (chosenPrefix, original) => {
      expect(isTopicPrefix(chosenPrefix)).toBe(true);
      expect(namespaceOfTopic(chosenPrefix, topicName(chosenPrefix, original))).toEqual(original);
    }),
    { numRuns: 2_000 },
  );
});

it('has only characters that Kafka takes', () => {
  fc.assert(
    fc.property(prefix, namespace, (chosenPrefix, original) => {
      expect(topicName(chosenPrefix, original)).toMatch(/^[A-Za-z0-9._-]+$/);
    }),
    { numRuns: 2_000 },
  );
});

it('differs from every other in more than dots and underscores', () => {
  // Two ways to cut the same characters into database and collection are the hard pairs.
  const cuts = fc
    .tuple(
      fc.array(fc.constantFrom('_', '.', 'x', '5f', 'x5f', ' ', 'a', '-', 'dead-letters'), { minLength: 2, maxLength: 7 }),
      fc.nat(),
      fc.nat(),
    )
    .map(([pieces, first, second]) => [cut(pieces, first), cut(pieces, second)] as const);
  fc.assert(
    fc.property(fc.oneof(cuts, fc.tuple(namespace, namespace)), ([a, b]) => {
      const same = a.database === b.database && a.collection === b.collection;
      expect(unified(topicName('p', a)) === unified(topicName('p', b))).toBe(same);
    }),
    { numRuns: 20_000 },
  );
});

it('leaves a topic to one namespace at most', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('_', '.', '-', 'x', '5f', '2e', '_x5f_', 'a', 'dead-letters'), maxLength: 8 }),
      (rest) => {
        const topic = `p.${rest}`;
        const found = namespaceOfTopic('p', topic);
        if (found !== undefined) expect(topicName('p', found)).toBe(topic);
      },
    ),
    { numRuns: 5_000 },
  );
});

function cut(pieces: readonly string[], place: number): Namespace {
  const at = 1 + (place % (pieces.length - 1));
  return { database: pieces.slice(0, at).join(''), collection: pieces.slice(at).join('') };
}
