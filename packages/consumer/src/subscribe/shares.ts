// The shares of a group's members while they are made even: of each topic first, and of all topics where that leaves a choice.
import type { AssignedMember } from './assigned-member.js';
import { partitionName, type TopicPartition } from './subscription.js';

/** What one member has of one topic: those that it reads already first, since the last ones move first. */
type Held = number[];

interface Share {
  readonly member: AssignedMember;
  readonly held: Map<string, Held>;
  total: number;
}

export class Shares {
  readonly #shares: readonly Share[];
  /** Of each topic, the shares of those who read it. */
  readonly #topics = new Map<string, readonly Share[]>();

  constructor(members: readonly AssignedMember[]) {
    this.#shares = [...members]
      .sort((a, b) => (a.memberId < b.memberId ? -1 : 1))
      .map((member) => ({ member, held: new Map<string, Held>(), total: 0 }));
  }

  of({ memberId }: AssignedMember): TopicPartition[] {
    const share = this.#shares.find(({ member }) => member.memberId === memberId);
    return [...(share?.held ?? [])].flatMap(([topic, held]) => held.map((partition) => ({ topic, partition })));
  }

  /** The topic's partitions: each to its owner, and those without an owner to the member that has the fewest. */
  add(topic: string, count: number, owners: ReadonlyMap<string, string>): void {
    const among = this.#shares.filter(({ member }) => member.topics.has(topic));
    if (among.length === 0) return;
    this.#topics.set(topic, among);
    for (const share of among) share.held.set(topic, []);
    const free: number[] = [];
    for (let partition = 0; partition < count; partition += 1) {
      const owner = owners.get(partitionName({ topic, partition }));
      const share = among.find(({ member }) => member.memberId === owner);
      if (share === undefined) free.push(partition);
      else give(share, topic, partition);
    }
    for (const partition of free) give(least(among, topic), topic, partition);
  }

  /** Moves partitions until no move makes shares more even. Each one makes the squares of what members have smaller, so that it ends. */
  level(): void {
    for (const [topic, among] of this.#topics) {
      for (let [from, to] = [most(among, topic), least(among, topic)]; countOf(from, topic) - countOf(to, topic) > 1; ) {
        move(from, to, topic);
        [from, to] = [most(among, topic), least(among, topic)];
      }
    }
    // One move may make room for another. Topic by topic: to begin anew after each move would take minutes with thousands of topics, for which no heartbeat waits.
    for (let hasMoved = true; hasMoved; ) {
      hasMoved = false;
      for (const [topic, among] of this.#topics) while (levelTotal(among, topic)) hasMoved = true;
    }
  }
}

/** Between members of whom one has one more of the topic, the one with less of all takes it. */
function levelTotal(among: readonly Share[], topic: string): boolean {
  const fewest = Math.min(...among.map((share) => countOf(share, topic)));
  let [from, to]: (Share | undefined)[] = [];
  for (const share of among) {
    if (countOf(share, topic) > fewest) from = from === undefined || share.total > from.total ? share : from;
    else to = to === undefined || share.total < to.total ? share : to;
  }
  if (from === undefined || to === undefined || from.total - to.total < 2) return false;
  move(from, to, topic);
  return true;
}

const countOf = ({ held }: Share, topic: string): number => held.get(topic)?.length ?? 0;

function give(share: Share, topic: string, partition: number): void {
  share.held.get(topic)?.push(partition);
  share.total += 1;
}

function move(from: Share, to: Share, topic: string): void {
  give(to, topic, from.held.get(topic)?.pop() as number);
  from.total -= 1;
}

/** Of those with the fewest of the topic, the one with the fewest of all. */
const least = (among: readonly Share[], topic: string): Share =>
  among.reduce((best, share) => ((countOf(share, topic) - countOf(best, topic) || share.total - best.total) < 0 ? share : best));

const most = (among: readonly Share[], topic: string): Share =>
  among.reduce((best, share) => ((countOf(share, topic) - countOf(best, topic) || share.total - best.total) > 0 ? share : best));
