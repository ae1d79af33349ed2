// Promise D on the consumer's side: whatever is applied again, in whatever batches, the target ends in the same state. The transform
// stage is part of it: fields left out, and a function that makes several documents of one, or none.
import { compileFieldRules } from '@tailwater/runtime';
import { BSON } from 'bson';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyChanges } from '#consumer/apply/apply-changes.js';
import type { Change } from '#consumer/changes/change.js';
import { APPLIED, type ChangeResult, SUPERSEDED, type Target } from '#consumer/targets/target.js';
import { Destinations } from '#consumer/transform/destinations.js';
import { createTransform, type Transform } from '#consumer/transform/transform.js';
import { UserFunction } from '#consumer/transform/user-function.js';
import { change } from '#test/unit/consumer/support/changes.js';

const never = new AbortController().signal;

/** Holds documents by key, and, when it compares versions, also those of deletes. */
class ModelTarget implements Target {
  readonly apiVersion = 1;
  readonly kind = 'model';
  readonly #entries = new Map<string, { readonly version: bigint; readonly document: Buffer | undefined }>();
  readonly #comparing: boolean;

  constructor(comparing: boolean) {
    this.#comparing = comparing;
  }

  nameOf(): string {
    return 'model';
  }

  async connect(): Promise<void> {}

  async applyBatch(changes: readonly Change[]): Promise<ChangeResult[]> {
    return changes.map(({ key, kind, document, position }) => {
      const version = this.#entries.get(key)?.version ?? -1n;
      if (this.#comparing && version > position.version) return SUPERSEDED;
      this.#entries.set(key, { version: position.version, document: kind === 'delete' ? undefined : document });
      return APPLIED;
    });
  }

  async close(): Promise<void> {}

  get state(): readonly (readonly [string, object])[] {
    const kept = [...this.#entries].flatMap(([key, { document }]) =>
      document === undefined ? [] : [[key, BSON.deserialize(document)] as const],
    );
    return kept.sort(([one], [other]) => (one < other ? -1 : 1));
  }
}

const transforms: Record<string, Transform> = {
  none: createTransform({ destinations: new Destinations((namespace) => namespace) }),
  fields: createTransform({
    destinations: new Destinations((namespace) => namespace),
    fields: compileFieldRules({ excludeFields: ['secret'] }),
  }),
  split: createTransform({
    destinations: new Destinations((namespace) => namespace),
    userFunction: new UserFunction('split.js', {
      default: ({ _id, lines }) =>
        lines === 0 ? null : [{ _id }, ...Array.from({ length: lines as number }, (_, n) => ({ _id: `${_id}/${n}` }))],
      ids: (id) => [0, 1, 2].map((n) => `${id}/${n}`),
    }),
  }),
};

/** A partition: the changes of few documents, in the order of the oplog. */
const partition = fc
  .array(fc.record({ id: fc.integer({ min: 0, max: 4 }), lines: fc.integer({ min: 0, max: 3 }), removes: fc.boolean() }), {
    minLength: 1,
    maxLength: 25,
  })
  .map((events) =>
    events.map(({ id, lines, removes }, sequence) =>
      removes
        ? change(id, sequence, { kind: 'delete', op: 'delete', document: Buffer.alloc(0) })
        : change(id, sequence, { document: Buffer.from(BSON.serialize({ _id: id, lines, secret: sequence, sequence })) }),
    ),
  );

/** Applies as the apply stage does: in batches in which the last change of a key wins. */
async function applyAll(target: Target, changes: readonly Change[], transform: Transform, batchSize: number): Promise<void> {
  for (let from = 0; from < changes.length; from += batchSize) {
    const batch = new Map(changes.slice(from, from + batchSize).map((each) => [each.key, each]));
    const transformed = [...batch.values()].map(transform).filter((each) => each !== undefined);
    for (const { status } of await applyChanges(target, transformed, never)) expect(status).not.toBe('rejected');
  }
}

async function expectedState(changes: readonly Change[], transform: Transform) {
  const target = new ModelTarget(false);
  await applyAll(target, changes, transform, 1);
  return target.state;
}

describe.each(Object.keys(transforms))('with the transform %s', (name) => {
  const transform = transforms[name] as Transform;

  test('property: any replays of any suffix end in the same state, even if the target compares no versions', async () => {
    const reads = fc.array(fc.record({ back: fc.nat(30), forth: fc.nat(30) }), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(partition, reads, fc.integer({ min: 1, max: 10 }), fc.boolean(), async (changes, crashes, batchSize, comparing) => {
        const target = new ModelTarget(comparing);
        // Each read begins where the last commit was, or anywhere before it, and is cut off somewhere.
        let committed = 0;
        for (const { back, forth } of crashes) {
          const end = Math.min(changes.length, committed + forth);
          await applyAll(target, changes.slice(Math.max(0, committed - back), end), transform, batchSize);
          committed = end;
        }
        await applyAll(target, changes.slice(committed), transform, batchSize);
        expect(target.state).toEqual(await expectedState(changes, transform));
      }),
      { numRuns: 200 },
    );
  });

  test('property: a target that compares versions ends in the same state in any order at all', async () => {
    const scenario = partition.chain((changes) =>
      fc.tuple(
        fc.constant(changes),
        fc.shuffledSubarray([...changes, ...changes], { minLength: changes.length * 2 }),
        fc.integer({ min: 1, max: 10 }),
      ),
    );
    await fc.assert(
      fc.asyncProperty(scenario, async ([changes, shuffled, batchSize]) => {
        const target = new ModelTarget(true);
        // Within a batch the caller keeps the order of a key.
        const batches: Change[][] = [];
        for (let from = 0; from < shuffled.length; from += batchSize) {
          batches.push(shuffled.slice(from, from + batchSize).sort((one, other) => one.offset - other.offset));
        }
        for (const batch of batches) await applyAll(target, batch, transform, batchSize);
        expect(target.state).toEqual(await expectedState(changes, transform));
      }),
      { numRuns: 200 },
    );
  });
});
