// What applications write through a mongos.
import { ITEMS, type ModelCluster, PLAIN, REGIONS, type Steps } from './model-cluster.js';
import type { ModelDocument, ModelShard } from './model-shard.js';

export interface Write {
  readonly does: 'insert' | 'replace' | 'patch' | 'delete' | 'move' | 'moveAndAbort' | 'copyElsewhere' | 'deleteMany' | 'updateMany';
  readonly ns: string;
  readonly id: number;
  readonly region: number;
  /** Which of several documents with this `_id`. */
  readonly which: number;
  readonly router: number;
  /** Whether the shard that the document leaves commits last; and the other steps between the two commits. */
  readonly leavesLast: boolean;
}

export function* write(cluster: ModelCluster, wish: Write): Steps {
  const { does, ns, id, which, router } = wish;
  if (does === 'insert') return yield* insert(cluster, wish, regionOf(wish));
  if (does === 'deleteMany' || does === 'updateMany') return many(cluster, wish, does === 'deleteMany');
  const found = cluster.live(ns, id);
  const chosen = found[which % Math.max(1, found.length)];
  if (chosen === undefined) return;
  const { shard, document } = chosen;
  // An application may make a document anew under another shard key, and delete the old one behind that.
  if (does === 'copyElsewhere') return yield* insert(cluster, wish, wish.region);
  if (does === 'move' || does === 'moveAndAbort') return yield* move(cluster, wish, shard, document);
  if (shard.isLocked(ns, id)) return;
  cluster.through(router, shard, () => {
    if (does === 'delete') shard.write(cluster.deletion(ns, document));
    else shard.write(cluster.change(ns, document, next(document), does === 'replace'));
  });
}

const next = (document: ModelDocument, region = document.region): ModelDocument => ({ ...document, region, n: document.n + 1 });
const regionOf = ({ ns, id, region }: Write): number => (ns === PLAIN ? 0 : ns === ITEMS ? id % REGIONS : region);

function* insert(cluster: ModelCluster, { ns, id, router }: Write, region: number): Steps {
  if (ns !== PLAIN && ns !== ITEMS) yield;
  const document = { id, region, n: 100 * cluster.count() };
  const shard = cluster.owner(ns, cluster.chunkOf(ns, document));
  // The unique index of the shard knows nothing of other shards (manual: sharding, unique indexes); it does know orphans.
  if (shard.physical(ns).has(id) || shard.isLocked(ns, id)) return;
  cluster.through(router, shard, () => shard.write(cluster.insertion(ns, document)));
}

/**
 * A document whose shard key changes is deleted on one shard and inserted on another in one transaction of the two
 * (manual: change a document's shard key value; src/mongo/s/would_change_owning_shard_exception). Each shard commits in its own time: SERVER-60543.
 */
function* move(cluster: ModelCluster, wish: Write, from: ModelShard, document: ModelDocument): Steps {
  const { ns, id, router, region, leavesLast, does } = wish;
  if (ns === PLAIN || ns === ITEMS || from.isLocked(ns, id)) return;
  const moved = next(document, region);
  const to = cluster.owner(ns, region);
  if (to === from) return cluster.through(router, from, () => from.write(cluster.change(ns, document, moved, false)));
  if (to.physical(ns).has(id) || to.isLocked(ns, id)) return;
  cluster.busy(ns, 1);
  const number = cluster.count();
  const parts = [
    { shard: to, operations: [cluster.insertion(ns, moved)] },
    { shard: from, operations: [cluster.deletion(ns, document)] },
  ];
  if (!leavesLast) parts.reverse();
  const prepared: { shard: ModelShard; part: ReturnType<ModelShard['prepare']> }[] = [];
  for (const { shard, operations } of parts)
    cluster.through(router, shard, () => prepared.push({ shard, part: shard.prepare(number, operations) }));
  yield;
  // The coordinator takes the latest of the prepare timestamps (README_sessions_and_transactions.md, two-phase commit).
  const commitAt = does === 'moveAndAbort' ? undefined : Math.max(...prepared.map(({ part }) => part.i));
  for (const { shard, part } of prepared) {
    if (commitAt !== undefined) shard.hear(commitAt);
    shard.decide(part, commitAt);
    yield;
  }
  cluster.busy(ns, -1);
}

/** A statement without a shard key goes to every shard, and there meets orphans as well. */
function many(cluster: ModelCluster, { ns, which, router }: Write, isDelete: boolean): void {
  for (const shard of cluster.shards) {
    for (const document of [...shard.physical(ns).values()]) {
      if (document.n % 2 !== which % 2 || shard.isLocked(ns, document.id)) continue;
      const isOrphan = !cluster.isOwned(ns, shard, document);
      const operation = isDelete ? cluster.deletion(ns, document) : cluster.change(ns, document, next(document), false);
      cluster.through(router, shard, () => shard.write(operation, isOrphan && cluster.options.hidesOrphans));
    }
  }
}
