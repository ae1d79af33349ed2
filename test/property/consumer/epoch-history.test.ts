// What a group has read of a partition is what its log holds in the end, whatever replica becomes the leader of it, with however little.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatCommitMetadata, parseCommitMetadata } from '#consumer/commit/freshness.js';
import { divergence, type EpochHistory, type ReadingPoint, readOn, upTo } from '#consumer/subscribe/epoch-history.js';

interface Entry {
  readonly epoch: number;
  readonly id: number;
}

/** A replica's log and what it knows of epochs, as Kafka's LeaderEpochFileCache does. */
class Replica {
  log: Entry[] = [];
  /** Where each epoch begins. */
  starts: { readonly epoch: number; readonly start: number }[] = [];

  lead(epoch: number): void {
    this.starts = [...this.starts.filter(({ start }) => start < this.log.length), { epoch, start: this.log.length }];
  }

  /** Of what another has, so much. */
  follow(leader: Replica, length: number): void {
    const other = this.log.findIndex(({ id }, index) => leader.log[index]?.id !== id);
    const common = other === -1 ? this.log.length : other;
    this.log = leader.log.slice(0, Math.max(common, length));
    this.starts = this.log.flatMap(({ epoch }, start) => (this.log[start - 1]?.epoch === epoch ? [] : [{ epoch, start }]));
  }

  /** The last epoch not above the asked one, and where it ends; undefined when all that it has is below. */
  endOf(asked: number): { epoch: number; end: number } | undefined {
    const higher = this.starts.find(({ epoch }) => epoch > asked);
    if (higher === undefined) return this.starts.at(-1)?.epoch === asked ? { epoch: asked, end: this.log.length } : undefined;
    const lower = this.starts.filter(({ epoch }) => epoch <= asked).at(-1);
    return { epoch: lower?.epoch ?? asked, end: higher.start };
  }
}

class Reader {
  readonly seen: number[] = [];
  #point: ReadingPoint = { offset: 0, epochs: [] };

  /** One fetch. @returns whether there may be more */
  fetch(leader: Replica, most: number): boolean {
    const { offset, epochs } = this.#point;
    const last = epochs.at(-1)?.epoch;
    if (last !== undefined) {
      const end = leader.endOf(last);
      if (end === undefined) this.#point = { offset: 0, epochs: [] };
      else if (end.epoch < last || end.end < offset) this.#point = divergence(epochs, end);
      if (this.#point.offset !== offset || this.#point.epochs !== epochs) return true;
    }
    const read = leader.log.slice(offset, offset + most);
    for (const [index, { id }] of read.entries()) this.seen[offset + index] = id;
    const ends: EpochHistory = read.map(({ epoch }, index) => ({ epoch, end: offset + index + 1 }));
    const next = offset + read.length;
    this.#point = { offset: next, epochs: upTo(readOn(epochs, ends), next) };
    return read.length > 0;
  }

  /** The group's next process knows what was committed, which is somewhere before. */
  restart(back: number): void {
    const offset = Math.max(0, this.#point.offset - back);
    const note = formatCommitMetadata({ freshAtMs: 0, epochs: upTo(this.#point.epochs, offset) });
    this.#point = { offset, epochs: parseCommitMetadata(note)?.epochs ?? [] };
  }
}

const step = fc.oneof(
  fc.record({ kind: fc.constant('write' as const), count: fc.integer({ min: 1, max: 6 }) }),
  fc.record({ kind: fc.constant('copy' as const), replica: fc.nat({ max: 2 }), length: fc.nat({ max: 40 }) }),
  fc.record({ kind: fc.constant('elect' as const), replica: fc.nat({ max: 2 }) }),
  fc.record({ kind: fc.constant('read' as const), most: fc.integer({ min: 1, max: 8 }) }),
  fc.record({ kind: fc.constant('restart' as const), back: fc.nat({ max: 5 }) }),
);

test('what was read is what the log holds, after any number of unclean elections, whenever the reader comes back', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const replicas = [new Replica(), new Replica(), new Replica()];
      const reader = new Reader();
      let leader = replicas[0] as Replica;
      let [epoch, id] = [0, 0];
      leader.lead(epoch);
      for (const each of steps) {
        if (each.kind === 'write') {
          for (let n = 0; n < each.count; n += 1) leader.log.push({ epoch, id: id++ });
        } else if (each.kind === 'copy') {
          const follower = replicas[each.replica] as Replica;
          if (follower !== leader) follower.follow(leader, Math.min(each.length, leader.log.length));
        } else if (each.kind === 'elect') {
          leader = replicas[each.replica] as Replica;
          leader.lead(++epoch);
        } else if (each.kind === 'read') reader.fetch(leader, each.most);
        else reader.restart(each.back);
      }
      while (reader.fetch(leader, 4));
      expect(reader.seen.slice(0, leader.log.length)).toEqual(leader.log.map((entry) => entry.id));
    }),
    { numRuns: 2000 },
  );
});
