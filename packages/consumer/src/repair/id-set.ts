// A set of ids, of any number: one JavaScript Set holds 16.7 million at most.
import { laneOf } from '../apply/lanes.js';

const SHARDS = 64;

export class IdSet {
  readonly #shards = Array.from({ length: SHARDS }, () => new Set<string>());

  get size(): number {
    return this.#shards.reduce((sum, { size }) => sum + size, 0);
  }

  add(id: string): void {
    this.#of(id).add(id);
  }

  delete(id: string): void {
    this.#of(id).delete(id);
  }

  has(id: string): boolean {
    return this.#of(id).has(id);
  }

  #of(id: string): Set<string> {
    return this.#shards[laneOf(id, SHARDS)] as Set<string>;
  }
}
