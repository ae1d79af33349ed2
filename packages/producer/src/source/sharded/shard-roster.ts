// The shards that a checkpoint counts on: those of the cluster, and those that have left it, until all that they wrote before is
// published. Whatever a shard wrote since the checkpoint is in no other oplog: the documents that move away from it, when it is removed,
// arrive elsewhere as what the balancer moved, which is no change (promise F).
//
// Maintained invariant: a shard is in the record before anything is published that was read when it was listed, and leaves it behind
// the last of its entries that counts.
import type { ListedShard } from '../mongo/shards.js';

export class ShardRoster {
  #shards: readonly ListedShard[] = [];
  readonly #save: (shards: readonly ListedShard[]) => Promise<void>;

  /** @param save - makes them last: resolves when they are in Kafka, behind everything that was published before */
  constructor(save: (shards: readonly ListedShard[]) => Promise<void>) {
    this.#save = save;
  }

  /** What the checkpoint says. */
  load(shards: readonly ListedShard[]): void {
    this.#shards = shards;
  }

  /** Those that are no longer listed. */
  missing(listed: readonly ListedShard[]): readonly ListedShard[] {
    return this.#shards.filter((shard) => !listed.some((each) => isSame(each, shard)));
  }

  /** From now on these are counted on, too. */
  add(listed: readonly ListedShard[]): Promise<void> {
    return this.#replace([...listed, ...this.missing(listed)]);
  }

  /** From now on no others are. */
  keep(listed: readonly ListedShard[]): Promise<void> {
    return this.#replace(listed);
  }

  async #replace(listed: readonly ListedShard[]): Promise<void> {
    // Nothing else: a connection string has secrets.
    const shards = listed.map(({ name, host }) => ({ name, host }));
    const before = this.#shards;
    if (
      before.length === shards.length &&
      shards.every(({ name, host }) => before.some((each) => each.name === name && each.host === host))
    )
      return;
    await this.#save(shards);
    this.#shards = shards;
  }
}

/** The hosts of a replica set may change, its name does not. */
const isSame = (a: ListedShard, b: ListedShard): boolean => a.name === b.name && setOf(a) === setOf(b);
const setOf = ({ host }: ListedShard): string => host.slice(0, host.indexOf('/'));
