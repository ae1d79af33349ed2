// A sharded cluster in memory: who owns which documents, what clients write through the mongos, and what the mongos shows of it.
// What a shard writes when the cluster itself moves documents is in balancing.ts and reshaping.ts.
import { type BSON, Int32 } from 'bson';
import { type ModelDocument, ModelShard, type Operation } from './model-shard.js';

/** Sharded by `region`: one `_id` may live on several shards. */
export const ORDERS = 'shop.orders';
/** Sharded by `_id`. */
export const ITEMS = 'shop.items';
/** Not sharded: all of it is on the primary shard of its database. */
export const PLAIN = 'shop.plain';
export const COLLECTIONS = [ORDERS, ITEMS, PLAIN];
/** Values of the shard key, each a chunk of its own. */
export const REGIONS = 3;

export interface ClusterOptions {
  /** Servers before 5.3 write down what a statement does to orphans as if they were documents (manual: change streams and orphan documents). */
  readonly hidesOrphans: boolean;
  /** Whether entries for several documents are grouped. */
  readonly groups: boolean;
}

interface Listing {
  readonly at: number;
  readonly shards: readonly ModelShard[];
}

/** What is done in steps, between which others have their turn. */
export type Steps = Generator<void, void, void>;

export class ModelCluster {
  readonly options: ClusterOptions;
  readonly all: readonly ModelShard[];
  /** What `config.shards` has held, and from which cluster time on. */
  readonly listings: Listing[];
  /** By collection: which shard owns each chunk. */
  readonly #owners = new Map<string, ModelShard[]>();
  /** Cluster times that two mongos have heard of: what goes through one of them only is not told to the other. */
  readonly #routers = [0, 0];
  readonly #busy = new Map<string, number>();
  /** Changes with each change of who owns what: a read that met two of them is read again (README_versioning_protocols.md). */
  version = 0;
  #counted = 0;

  constructor(options: ClusterOptions, names: readonly string[], listed: number) {
    this.options = options;
    this.all = names.map((name) => new ModelShard(name));
    this.listings = [{ at: 1, shards: this.all.slice(0, listed) }];
    for (const ns of COLLECTIONS)
      this.#owners.set(
        ns,
        Array.from({ length: REGIONS }, (_, region) => this.shards[region % listed] as ModelShard),
      );
    this.#owners.set(
      PLAIN,
      Array.from({ length: REGIONS }, () => this.shards[0] as ModelShard),
    );
  }

  /** A number that nobody else has. */
  count(): number {
    this.#counted += 1;
    return this.#counted;
  }

  get shards(): readonly ModelShard[] {
    return (this.listings.at(-1) as Listing).shards;
  }

  /** Which chunk a document belongs to. */
  chunkOf(ns: string, { region }: { region: number }): number {
    return ns === PLAIN ? 0 : region;
  }

  owner(ns: string, chunk: number): ModelShard {
    return (this.#owners.get(ns) as ModelShard[])[chunk] as ModelShard;
  }

  owners(ns: string): readonly ModelShard[] {
    return (this.#owners.get(ns) as ModelShard[]).slice(0, ns === PLAIN ? 1 : REGIONS);
  }

  /** From now on the shard owns the chunk; whoever reads through a mongos knows, and what is written from now on is written behind that. */
  own(ns: string, chunk: number, shard: ModelShard): void {
    (this.#owners.get(ns) as ModelShard[])[chunk] = shard;
    this.changed();
  }

  changed(): void {
    this.version += 1;
    const clock = this.gossip(...this.shards);
    for (const shard of this.shards) {
      shard.hear(clock);
      shard.routedAt = shard.clock;
    }
  }

  /** Those that work together hear of each other's time. */
  gossip(...shards: readonly ModelShard[]): number {
    const clock = Math.max(...shards.map((shard) => shard.clock));
    for (const shard of shards) shard.hear(clock);
    return clock;
  }

  /** The newest time of all. */
  get clock(): number {
    return Math.max(...this.#routers, ...this.all.map(({ clock }) => clock), this.listings.at(-1)?.at ?? 0);
  }

  list(shards: readonly ModelShard[]): void {
    const at = this.clock + 1;
    this.listings.push({ at, shards });
    for (const shard of shards) shard.hear(at);
    this.changed();
  }

  isOwned(ns: string, shard: ModelShard, document: ModelDocument): boolean {
    return this.owner(ns, this.chunkOf(ns, document)) === shard;
  }

  /** The documents with this `_id`, and where they are. */
  live(ns: string, id: number): { readonly shard: ModelShard; readonly document: ModelDocument }[] {
    return this.shards.flatMap((shard) => {
      const document = shard.physical(ns).get(id);
      return document !== undefined && this.isOwned(ns, shard, document) ? [{ shard, document }] : [];
    });
  }

  /** A transaction is under way in the collection: no chunk of it changes hands. */
  isBusy(ns: string): boolean {
    return (this.#busy.get(ns) ?? 0) > 0;
  }

  busy(ns: string, by: 1 | -1): void {
    this.#busy.set(ns, (this.#busy.get(ns) ?? 0) + by);
  }

  /** Through one of the mongos, which tells the shard what time it is, and hears of the shard's. */
  through(router: number, shard: ModelShard, write: () => void): void {
    shard.hear(this.#routers[router] as number);
    write();
    this.#routers[router] = Math.max(this.#routers[router] as number, shard.clock);
  }

  /** `_id` and, where there is one, the shard key: what deletes and updates name a document by. */
  keyOf(ns: string, { id, region }: ModelDocument): BSON.Document {
    return ns === ORDERS ? { region: new Int32(region), _id: new Int32(id) } : { _id: new Int32(id) };
  }

  insertion(ns: string, document: ModelDocument): Operation {
    const { id, region, n } = document;
    const o = { _id: new Int32(id), region: new Int32(region), n: new Int32(n) };
    return { op: 'i', ns, o, o2: this.keyOf(ns, document), id, document };
  }

  deletion(ns: string, document: ModelDocument): Operation {
    return { op: 'd', ns, o: this.keyOf(ns, document), id: document.id, document: undefined };
  }

  /** As a diff, or as the whole document. */
  change(ns: string, before: ModelDocument, document: ModelDocument, isReplaced: boolean): Operation {
    const [n, region] = [new Int32(document.n), new Int32(document.region)];
    const o = isReplaced ? { _id: new Int32(document.id), region, n } : { $v: new Int32(2), diff: { u: { n, region } } };
    return { op: 'u', ns, o, o2: this.keyOf(ns, before), id: document.id, document };
  }
}
