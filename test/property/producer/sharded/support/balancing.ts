// What the cluster does by itself, and what its administrators ask for: chunks that move, with what each shard writes about it.
import { COLLECTIONS, type ModelCluster, ORDERS, PLAIN, type Steps } from './model-cluster.js';
import type { ModelDocument, ModelShard, Operation } from './model-shard.js';

const split = (ns: string): [database: string, collection: string] => [ns.slice(0, ns.indexOf('.')), ns.slice(ns.indexOf('.') + 1)];

/** Entries of what moves between shards carry `fromMigrate` (src/mongo/db/s/README_migrations.md; migration_destination_manager.cpp). */
function moved(cluster: ModelCluster, shard: ModelShard, operations: readonly Operation[]): void {
  if (cluster.options.groups && operations.length > 1) shard.writeTogether(operations, true);
  else for (const operation of operations) shard.write(operation, true);
}

const inChunk = (cluster: ModelCluster, ns: string, chunk: number, shard: ModelShard): ModelDocument[] =>
  [...shard.physical(ns).values()].filter((document) => cluster.chunkOf(ns, document) === chunk);

/** The recipient clones the chunk while the donor is written to, catches up, and owns it; the donor deletes its orphans some time later. */
export function* migrate(cluster: ModelCluster, ns: string, chunk: number, to: ModelShard): Steps {
  const from = cluster.owner(ns, chunk);
  if (from === to || !cluster.shards.includes(to)) return;
  const [database, collection] = split(ns);
  cluster.gossip(from, to);
  const copied = inChunk(cluster, ns, chunk, from);
  // What is left of an earlier migration is deleted first; an equal _id of another chunk makes the migration fail.
  if (inChunk(cluster, ns, chunk, to).length > 0 || copied.some(({ id }) => to.physical(ns).has(id))) return;
  if (to.physical(ns).size === 0) to.command(database, { create: collection }, { fromMigrate: true });
  moved(
    cluster,
    to,
    copied.map((document) => cluster.insertion(ns, document)),
  );
  yield;
  while (cluster.isBusy(ns)) yield;
  const cloned = new Map(inChunk(cluster, ns, chunk, to).map((document) => [document.id, document]));
  const current = inChunk(cluster, ns, chunk, from);
  if (current.some(({ id }) => to.physical(ns).has(id) && !cloned.has(id))) {
    moved(
      cluster,
      to,
      [...cloned.values()].map((document) => cluster.deletion(ns, document)),
    );
    return;
  }
  const ids = new Set(current.map(({ id }) => id));
  const gone = [...cloned.values()].filter(({ id }) => !ids.has(id)).map((document) => cluster.deletion(ns, document));
  const caughtUp = current.flatMap((document): Operation[] => {
    const before = cloned.get(document.id);
    if (before === undefined) return [cluster.insertion(ns, document)];
    return before.n === document.n ? [] : [cluster.change(ns, before, document, true)];
  });
  moved(cluster, to, [...gone, ...caughtUp]);
  cluster.gossip(from, to);
  from.noop({ msg: 'Migrating chunk' }, { migrateChunkToNewShard: ns });
  cluster.own(ns, chunk, to);
  yield;
  // The range deleter (README_range_deleter.md).
  while (cluster.isBusy(ns)) yield;
  if (cluster.owner(ns, chunk) === from) return;
  moved(
    cluster,
    from,
    inChunk(cluster, ns, chunk, from).map((document) => cluster.deletion(ns, document)),
  );
  cluster.changed();
}

/** `movePrimary`: a copy on the recipient, then a drop on the donor, which old servers do not mark (move_primary_coordinator.cpp). */
export function* movePrimary(cluster: ModelCluster, to: ModelShard, marks: boolean): Steps {
  const from = cluster.owner(PLAIN, 0);
  if (from === to || !cluster.shards.includes(to)) return;
  while (cluster.isBusy(PLAIN)) yield;
  const [database, collection] = split(PLAIN);
  cluster.gossip(from, to);
  to.command(database, { create: collection }, { fromMigrate: true });
  moved(
    cluster,
    to,
    [...from.physical(PLAIN).values()].map((document) => cluster.insertion(PLAIN, document)),
  );
  cluster.own(PLAIN, 0, to);
  yield;
  from.replaceAll(PLAIN, [], from.command(database, { drop: collection }, marks ? { fromMigrate: true } : {}));
  cluster.changed();
}

/**
 * The documents are copied into a collection with a name and a uuid of its own on each new owner, which takes the old name at the end
 * (src/mongo/db/s/resharding/README.md; resharding_recipient_service.cpp marks the rename).
 */
export function* reshard(cluster: ModelCluster, shift: number, uuid: string): Steps {
  const temporary = `system.resharding.${uuid}`;
  const { shards } = cluster;
  const owners = cluster.owners(ORDERS).map((owner) => shards[(shards.indexOf(owner) + shift) % shards.length] as ModelShard);
  cluster.gossip(...shards);
  for (const shard of shards) {
    shard.noop({ msg: 'resharding begins' }, { type: 'reshardBegin' });
    shard.command('shop', { create: temporary }, { fromMigrate: true });
  }
  yield;
  while (cluster.isBusy(ORDERS)) yield;
  const placed = new Map(shards.map((shard): [ModelShard, ModelDocument[]] => [shard, []]));
  for (const shard of shards) {
    for (const document of shard.physical(ORDERS).values())
      if (cluster.isOwned(ORDERS, shard, document)) placed.get(owners[document.region] as ModelShard)?.push(document);
  }
  const isAmbiguous = [...placed.values()].some((documents) => new Set(documents.map(({ id }) => id)).size < documents.length);
  cluster.gossip(...shards);
  if (isAmbiguous) {
    for (const shard of shards) shard.command('shop', { drop: temporary }, { fromMigrate: true });
    return;
  }
  for (const [shard, documents] of placed) {
    for (const document of documents) {
      const { op, o, o2 } = cluster.insertion(ORDERS, document);
      shard.log({ op, ns: `shop.${temporary}`, o, o2: o2 ?? {} });
    }
  }
  cluster.gossip(...shards);
  for (const [shard, documents] of placed) {
    const o = { renameCollection: `shop.${temporary}`, to: ORDERS, stayTemp: false, dropTarget: true };
    shard.replaceAll(ORDERS, documents, shard.command('shop', o, { fromMigrate: true }));
  }
  for (const [chunk, owner] of owners.entries()) cluster.own(ORDERS, chunk, owner);
}

/** The replica set has its own past; from now on it hears of the cluster's time. */
export function* addShard(cluster: ModelCluster, shard: ModelShard): Steps {
  if (cluster.shards.includes(shard) || shard.isGone) return;
  cluster.list([...cluster.shards, shard].sort((a, b) => a.name.localeCompare(b.name)));
}

/** All chunks are moved away first, and its databases; then it is no longer listed (manual: remove shards). */
export function* removeShard(cluster: ModelCluster, shard: ModelShard): Steps {
  if (!cluster.shards.includes(shard) || cluster.shards.length === 1) return;
  const other = cluster.shards.find((each) => each !== shard) as ModelShard;
  yield* movePrimary(cluster, other, true);
  for (const ns of COLLECTIONS)
    for (const [chunk, owner] of cluster.owners(ns).entries()) if (owner === shard) yield* migrate(cluster, ns, chunk, other);
  if (COLLECTIONS.some((ns) => cluster.owners(ns).includes(shard))) return;
  cluster.list(cluster.shards.filter((each) => each !== shard));
}

/** What stands in oplogs and is no change of a document. */
export function noise(shard: ModelShard, kind: number): void {
  const [i, insert] = [kind % 6, (ns: string, o: object) => shard.log({ op: 'i', ns, o, o2: { _id: 1 } })];
  if (i === 0) shard.noop();
  // History of retryable writes and sessions goes along with a chunk (session_catalog_migration_destination.cpp).
  else if (i === 1) shard.log({ op: 'n', ns: ORDERS, o: {}, o2: { op: 'd', ns: ORDERS, o: { _id: 1 } } }, { fromMigrate: true });
  // A shard may be the cluster's config server, too (manual: config shard).
  else if (i === 2) insert('config.chunks', { _id: 1, shard: shard.name });
  else if (i === 3) insert('config.transactions', { _id: 1 });
  // refineCollectionShardKey changes no document.
  else if (i === 4) shard.noop({ msg: 'refine' }, { refineCollectionShardKey: ORDERS, shardKey: { region: 1, _id: 1 } });
  else shard.command('shop', { modifyCollectionShardingIndexCatalog: 'orders' });
}
