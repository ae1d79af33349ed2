// What every target must do, on its real server. A target of one's own passes when this passes: see docs/06-own-targets.md.
import type { Change, ChangeResult, Held, Target } from '@tailwater/consumer';
import { freePort, waitFor } from '@tailwater/devstack';
import { TailwaterError } from '@tailwater/runtime';
import { type Namespace, recordKeyOf } from '@tailwater/schema';
import { Int32, Long, ObjectId, UUID } from 'bson';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readiness } from '#consumer/cli/report.js';
import type { GroupView } from '#consumer/subscribe/subscription.js';
import { everyType, raw } from '#test/integration/consumer/support/bson-zoo.js';
import { LanesRun } from '#test/integration/consumer/support/lanes-run.js';
import { ALL_IS_WELL } from '#test/support/all-is-well.js';
import { FaultyProxy } from '#test/support/faulty-proxy.js';
import { change } from '#test/unit/consumer/support/changes.js';
import type { Rig } from './rig.js';

const never = new AbortController().signal;
const APPLIED = { status: 'applied' };
const DATABASE = 'shop';

/** Ids that a server, a URL or a query language may trip over. */
const ODD_IDS: readonly unknown[] = [
  '',
  ' ',
  'a b',
  'a/b',
  '/',
  '..',
  'a,b',
  'a!b',
  'shard!',
  'a?b#c%20',
  '"quoted"',
  '\\',
  '*:*',
  '(a OR b)',
  'line\nbreak',
  'größe',
  '日本語',
  '😀',
  'x'.repeat(600),
  `${'x'.repeat(600)}y`,
  '\u00fc'.repeat(300),
  0,
  -1.5,
  '0',
  '-1.5',
  Long.fromString('9007199254740993'),
  true,
  'true',
  null,
  'null',
  new Date(0),
  new UUID('3f2a0a2e-7a0b-4c1d-8e9f-0123456789ab'),
  new ObjectId('507f1f77bcf86cd799439011'),
  '507f1f77bcf86cd799439011',
  {},
  { a: new Int32(1), b: { c: 'd' } },
  '{"a":1,"b":{"c":"d"}}',
];

export function describeTarget(name: string, start: () => Promise<Rig>): void {
  describe(`the target ${name}`, () => {
    let rig: Rig;
    let target: Target;
    let collections = 0;
    let sequence = 0;

    beforeAll(async () => {
      rig = await start();
      target = rig.target();
      await target.connect(never);
    });

    afterAll(async () => {
      await target?.close();
      await rig?.stop();
    });

    async function namespaceFor(what: string): Promise<Namespace> {
      const namespace = { database: DATABASE, collection: `${what}${++collections}` };
      target.nameOf(namespace);
      await rig.prepare(namespace);
      return namespace;
    }

    const upsert = (namespace: Namespace, id: unknown, fields: object, version = ++sequence): Change =>
      change(id, version, { namespace, document: raw({ _id: id, ...fields }) });
    const remove = (namespace: Namespace, id: unknown, version = ++sequence): Change =>
      change(id, version, { namespace, kind: 'delete', op: 'delete', document: Buffer.alloc(0) });
    const apply = (...changes: Change[]) => target.applyBatch(changes, never);
    const allApplied = (changes: readonly Change[]) => changes.map(() => APPLIED);

    /** As the pipeline does: a batch goes again until everything of it has ended. */
    async function applyToTheEnd(changes: readonly Change[], to: Target = target): Promise<void> {
      let left = changes;
      const attempt = async () => {
        const results: readonly ChangeResult[] = await to.applyBatch(left, never);
        left = left.filter((_, index) => results[index]?.status === 'rejected');
        return left.length;
      };
      const retried = async () => {
        try {
          return await attempt();
        } catch (error) {
          if (error instanceof TailwaterError && error.retriable) return left.length;
          throw Object.assign(new Error('not retriable', { cause: error }), { final: true });
        }
      };
      let final: unknown;
      await waitFor(() => retried().catch((error: unknown) => (final = error)), {
        until: (rest) => rest === 0 || final !== undefined,
        timeoutMs: 120_000,
      });
      if (final !== undefined) throw final;
    }

    test('writes, replaces and deletes, and a delete of what is not there is no failure', async () => {
      const namespace = await namespaceFor('basic');
      expect(await apply(upsert(namespace, 'a', { n: 1 }), upsert(namespace, 'b', { n: 2 }))).toEqual([APPLIED, APPLIED]);
      expect(await apply(upsert(namespace, 'a', { sequence: 3 }), remove(namespace, 'b'), remove(namespace, 'c'))).toEqual([
        APPLIED,
        APPLIED,
        APPLIED,
      ]);
      expect(await rig.read(namespace, 'a')).toEqual(rig.expectations.plain('a', { sequence: 3 }));
      expect(await rig.read(namespace, 'b')).toBeUndefined();
      expect(await apply(remove(namespace, 'b'))).toEqual([APPLIED]);
      expect(await rig.count(namespace)).toBe(1);
    });

    test('keeps namespaces apart, in one batch too, also where ids are equal', async () => {
      const [one, two] = [await namespaceFor('one'), await namespaceFor('two')];
      await apply(upsert(one, 1, { n: 1 }), upsert(two, 1, { n: 2 }));
      expect(await apply(remove(one, 1), upsert(two, 2, { n: 3 }))).toEqual([APPLIED, APPLIED]);
      expect(await rig.read(one, 1)).toBeUndefined();
      expect(await rig.read(two, 1)).toEqual(rig.expectations.plain(1, { n: 2 }));
    });

    test('any replay of any suffix of a history ends in the same state', async () => {
      const namespace = await namespaceFor('replay');
      const keys = 6;
      // A fixed walk over few keys, with deletes among the writes.
      const history = Array.from({ length: 48 }, (_, step) =>
        step % 7 === 3 ? remove(namespace, (step * 5) % keys) : upsert(namespace, (step * 5) % keys, { n: step }),
      );
      const state = new Map(history.map((each) => [each.key, each]));
      for (const from of [0, 31, 0, 45, 13]) {
        for (let at = from; at < history.length; ) {
          const batch = new Map<string, Change>();
          const size = 1 + ((at * 3) % 5);
          for (const each of history.slice(at, at + size)) batch.set(each.key, each);
          at += size;
          await apply(...batch.values());
        }
        for (const [id, last] of Array.from({ length: keys }, (_, id) => [id, state.get(String(id))] as const)) {
          const expected = last?.kind === 'upsert' ? rig.expectations.plain(id, { n: history.indexOf(last) }) : undefined;
          expect(await rig.read(namespace, id)).toEqual(expected);
        }
      }
    });

    test('an older version is refused, or applied where order alone protects, and the same one changes nothing', async () => {
      const namespace = await namespaceFor('versions');
      await apply(upsert(namespace, 'a', { n: 5 }, 1005));
      const { staleVersions } = rig.expectations;
      const older = staleVersions === 'refused' ? { status: 'superseded' } : APPLIED;
      expect(await apply(upsert(namespace, 'a', { n: 4 }, 1004))).toEqual([older]);
      expect(await apply(remove(namespace, 'a', 1003))).toEqual([older]);
      const left = staleVersions === 'ordered' ? undefined : rig.expectations.plain('a', { n: 5 });
      expect(await rig.read(namespace, 'a')).toEqual(left);
      expect(await apply(upsert(namespace, 'a', { n: 5 }, 1005))).toEqual([APPLIED]);
      expect(await rig.read(namespace, 'a')).toEqual(rig.expectations.plain('a', { n: 5 }));
    });

    test('every BSON type arrives as documented', async () => {
      const namespace = await namespaceFor('types');
      const id = new ObjectId('65a1b2c3d4e5f60718293a4b');
      const written = change(id, ++sequence, { namespace, document: everyType(id) });
      expect(await apply(written)).toEqual([APPLIED]);
      expect(await rig.read(namespace, id)).toEqual(rig.expectations.everyType(id));
    });

    test('odd ids are different documents, and are found again to be deleted', async () => {
      const namespace = await namespaceFor('ids');
      const changes = ODD_IDS.map((id, n) => upsert(namespace, id, { n }));
      expect(await apply(...changes)).toEqual(allApplied(changes));
      // A write beside a document, in its shard, changes none.
      for (const each of changes) expect((await target.acceptsProbeWrite?.(each, never)) ?? true).toBe(true);
      expect(await rig.count(namespace)).toBe(ODD_IDS.length);
      for (const [n, id] of ODD_IDS.entries()) expect(await rig.read(namespace, id)).toEqual(rig.expectations.plain(id, { n }));
      expect(await apply(...ODD_IDS.map((id) => remove(namespace, id)))).toEqual(allApplied(changes));
      expect(await rig.count(namespace)).toBe(0);
    });

    test('a document that is refused does not take others with it', async () => {
      const namespace = await namespaceFor('refused');
      await rig.refuseTextInN(namespace);
      const changes = Array.from({ length: 40 }, (_, id) => upsert(namespace, id, { n: id % 13 === 5 ? 'no number' : id }));
      const results = await apply(...changes);
      expect(results).toMatchObject(
        changes.map((_, id) => (id % 13 === 5 ? { status: 'rejected', retriable: false, reason: expect.stringMatching(/./) } : APPLIED)),
      );
      expect(await rig.count(namespace)).toBe(37);
    });

    test('what is refused is told, and nothing of its contents: not in a reason, and not where everybody may look', async () => {
      const namespace = await namespaceFor('told');
      await rig.refuseTextInN(namespace);
      const secret = 'kept-private';
      const changes = Array.from({ length: 150 }, (_, id) => upsert(namespace, id, { n: `${secret} ${id}`, other: secret }));
      const refused = (await apply(...changes.slice(0, 3))).map((result) => (result.status === 'rejected' ? result.reason : ''));
      expect(refused).toEqual(refused.map(() => expect.stringMatching(/^(?!.*kept-private)./s)));
      const run = new LanesRun(target);
      try {
        await run.feed(changes);
        await waitFor(() => run.lanes.waiting.length, { describe: 'the namespace to wait', until: (count) => count === 1 });
        const group: GroupView = {
          isMember: true,
          sinceMs: 0,
          rebalances: 1,
          lateAnswers: 0,
          elsewhere: undefined,
          nobodys: undefined,
          leaderless: [],
          denied: [],
          late: undefined,
        };
        const { ready, reasons } = readiness(
          { failure: undefined },
          { waiting: run.lanes.waiting, target, group, unreadable: [] },
          'kafka',
          ALL_IS_WELL,
        );
        expect([ready, reasons]).toEqual([false, [expect.stringContaining(`${namespace.database}.${namespace.collection}`)]]);
        expect(reasons.join()).not.toContain(secret);
        expect(JSON.stringify(run.lanes.waiting)).not.toContain(secret);
      } finally {
        await run.end();
      }
    });

    test('sends nothing when others may have taken over, wherever the process was frozen; one that compares versions may', async () => {
      const namespace = await namespaceFor('doubtful');
      await apply(upsert(namespace, 'a', { n: 1 }), upsert(namespace, 'gone', { n: 1 }));
      if (target.guard === undefined) {
        expect(target.comparesVersions).toBe(true);
        return;
      }
      let asked = 0;
      target.guard(() => {
        asked += 1;
        return false;
      });
      try {
        const old = apply(upsert(namespace, 'a', { n: 2 }), remove(namespace, 'gone'));
        await expect(old).rejects.toMatchObject({ code: 'TW1365', retriable: true });
        expect(asked).toBeGreaterThan(0);
        expect(await rig.read(namespace, 'a')).toEqual(rig.expectations.plain('a', { n: 1 }));
        expect(await rig.count(namespace)).toBe(2);
      } finally {
        target.guard(() => true);
      }
      expect(await apply(upsert(namespace, 'a', { n: 3 }), remove(namespace, 'gone'))).toEqual([APPLIED, APPLIED]);
      expect(await rig.read(namespace, 'a')).toEqual(rig.expectations.plain('a', { n: 3 }));
    });

    test('says what it holds of a namespace, and removes of it what has not changed since', async () => {
      const [namespace, other] = [await namespaceFor('held'), await namespaceFor('others')];
      await apply(...ODD_IDS.map((id, n) => upsert(namespace, id, { n })), upsert(other, 'other', { n: 0 }));
      const inventory = await target.inventory?.(namespace, never);
      if (inventory === undefined) throw new Error('no inventory');
      const held: Held[] = [];
      for await (const portion of inventory.scan(never)) held.push(...portion);
      expect(held.map(({ id }) => id).sort()).toEqual(ODD_IDS.map((id) => inventory.idOf(recordKeyOf(id))).sort());

      const [changed, removed] = [ODD_IDS[3], ODD_IDS[4]];
      await apply(upsert(namespace, changed, { n: 99 }));
      const chosen = new Set([changed, removed].map((id) => inventory.idOf(recordKeyOf(id))));
      const count = await inventory.remove(
        held.filter(({ id }) => chosen.has(id)),
        never,
      );
      // MongoDB keeps no note of a document's state: there the group's standing still is what protects.
      const { keepsStates } = rig.expectations;
      expect(count).toBe(keepsStates ? 1 : 2);
      expect(await rig.read(namespace, changed)).toEqual(keepsStates ? rig.expectations.plain(changed, { n: 99 }) : undefined);
      expect(await rig.read(namespace, removed)).toBeUndefined();
      // What comes back comes back.
      expect(await apply(upsert(namespace, removed, { n: 100 }))).toEqual([APPLIED]);
      expect(await rig.read(namespace, removed)).toEqual(rig.expectations.plain(removed, { n: 100 }));
      expect(await rig.count(other)).toBe(1);
      const nothing = await target.inventory?.({ database: DATABASE, collection: 'absent' }, never);
      for await (const portion of nothing?.scan(never) ?? []) expect(portion).toEqual([]);
    });

    test('takes a document of 15.9 MB', async () => {
      const namespace = await namespaceFor('large');
      const { textField } = rig.expectations;
      const text = 'lorem ipsum '.repeat(1_325_000);
      expect(await apply(upsert(namespace, 1, { [textField]: text }), upsert(namespace, 2, { n: 2 }))).toEqual([APPLIED, APPLIED]);
      expect(await rig.read(namespace, 1)).toEqual(rig.expectations.plain(1, { [textField]: text }));
      // Not kept for what follows.
      await apply(remove(namespace, 1));
    });

    test('a server killed in the middle of batches: each failure is retriable, and in the end everything is there', async () => {
      const namespace = await namespaceFor('restart');
      const batches = Array.from({ length: 60 }, (_, batch) =>
        Array.from({ length: 20 }, (_, index) => upsert(namespace, batch * 20 + index, { n: batch * 20 + index })),
      );
      let done = 0;
      const lanes = [0, 1, 2].map(async (lane) => {
        for (const [at, batch] of batches.entries()) {
          if (at % 3 !== lane) continue;
          await applyToTheEnd(batch);
          done += 1;
        }
      });
      await waitFor(() => done, { describe: 'some batches', until: (count) => count >= 6 });
      await rig.kill();
      await expect(target.applyBatch([upsert(namespace, 'while it is away', { n: 0 })], never)).rejects.toMatchObject({ retriable: true });
      await rig.start();
      await Promise.all(lanes);
      await waitFor(() => rig.count(namespace), { describe: 'all documents', until: (count) => count === 1200, timeoutMs: 60_000 });
      for (const id of [0, 599, 1199]) expect(await rig.read(namespace, id)).toEqual(rig.expectations.plain(id, { n: id }));
    });

    test('a network that fails: each failure is retriable, and what was applied or not ends the same', async () => {
      const namespace = await namespaceFor('network');
      const { textField } = rig.expectations;
      const text = 'lorem ipsum '.repeat(100);
      await apply(upsert(namespace, 'first', { n: 0 }));
      await using proxy = await FaultyProxy.start(rig.port);
      const through = rig.target({ url: rig.urlAt(proxy.port), requestTimeoutMs: 2_000 });
      const expected = new Map<string, object | undefined>();
      /** Writes thirty documents, and removes one of the round before, which came back meanwhile. */
      const round = (name: string, before: string | undefined) => {
        const ids = Array.from({ length: 30 }, (_, n) => `${name} ${n}`);
        for (const [n, id] of ids.entries()) expected.set(id, { n, [textField]: `${text}${n}` });
        if (before !== undefined) expected.set(`${before} 7`, undefined);
        const removed = before === undefined ? [] : [remove(namespace, `${before} 7`)];
        return [...ids.map((id) => upsert(namespace, id, expected.get(id) as object)), ...removed];
      };
      try {
        await through.connect(never);
        let before: string | undefined;
        for (const fault of ['reset', 'lose-answer', 'stall'] as const) {
          const batch = round(fault, before);
          // A connection that is not there yet at the first attempt is a failure of another kind.
          await applyToTheEnd([upsert(namespace, 'first', { n: 1 })], through);
          proxy.arm(fault);
          await expect(through.applyBatch(batch, never), fault).rejects.toMatchObject({ code: 'TW1301', retriable: true });
          expect(proxy.hits, fault).toBe(1);
          await applyToTheEnd(batch, through);
          before = fault;
        }
        proxy.slow = true;
        await applyToTheEnd(round('slow', before), through);
      } finally {
        await through.close();
      }
      for (const [id, fields] of expected) {
        expect(await rig.read(namespace, id), id).toEqual(
          fields === undefined ? undefined : rig.expectations.plain(id, fields as Record<string, unknown>),
        );
      }
      expect(await rig.count(namespace)).toBe(1 + [...expected.values()].filter((fields) => fields !== undefined).length);
    });

    test('where nothing listens, connecting ends after a bounded time, with a retriable failure', async () => {
      const away = rig.target({ url: rig.urlAt(await freePort()), connectTimeoutMs: 600, requestTimeoutMs: 600 });
      const startedAtMs = performance.now();
      await expect(away.connect(never)).rejects.toMatchObject({ code: 'TW1301', retriable: true });
      expect(performance.now() - startedAtMs).toBeLessThan(30_000);
      await away.close();
    });
  });
}
