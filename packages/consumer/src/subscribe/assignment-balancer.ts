// The shares of a group's members while they are made even: of each topic first, and of all topics where that leaves a choice.
import type { AssignedMember } from './assigned-member.js';
import { partitionName, type TopicPartition } from './subscription.js';

/** What one member has of one topic: those that it reads already first, since the last ones move first. */
type Held = number[];

interface MemberLoad {
  readonly member: AssignedMember;
  readonly held: Map<string, Held>;
  total: number;
}

export class AssignmentBalancer {
  readonly #loads: readonly MemberLoad[];
  /** Of each topic, the shares of those who read it. */
  readonly #topics = new Map<string, readonly MemberLoad[]>();

  constructor(members: readonly AssignedMember[]) {
    this.#loads = [...members]
      .sort((a, b) => (a.memberId < b.memberId ? -1 : 1))
      .map((member) => ({ member, held: new Map<string, Held>(), total: 0 }));
  }

  of({ memberId }: AssignedMember): TopicPartition[] {
    const load = this.#loads.find(({ member }) => member.memberId === memberId);
    return [...(load?.held ?? [])].flatMap(([topic, held]) => held.map((partition) => ({ topic, partition })));
  }

  /** The topic's partitions: each to its owner, and those without an owner to the member that has the fewest. */
  add(topic: string, count: number, owners: ReadonlyMap<string, string>): void {
    const among = this.#loads.filter(({ member }) => member.topics.has(topic));
    if (among.length === 0) return;
    this.#topics.set(topic, among);
    for (const load of among) load.held.set(topic, []);
    const free: number[] = [];
    for (let partition = 0; partition < count; partition += 1) {
      const owner = owners.get(partitionName({ topic, partition }));
      const load = among.find(({ member }) => member.memberId === owner);
      if (load === undefined) free.push(partition);
      else give(load, topic, partition);
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
function levelTotal(among: readonly MemberLoad[], topic: string): boolean {
  const fewest = Math.min(...among.map((load) => countOf(load, topic)));
  let [from, to]: (MemberLoad | undefined)[] = [];
  for (const load of among) {
    if (countOf(load, topic) > fewest) from = from === undefined || load.total > from.total ? load : from;
    else to = to === undefined || load.total < to.total ? load : to;
  }
  if (from === undefined || to === undefined || from.total - to.total < 2) return false;
  move(from, to, topic);
  return true;
}

const countOf = ({ held }: MemberLoad, topic: string): number => held.get(topic)?.length ?? 0;

function give(load: MemberLoad, topic: string, partition: number): void {
  load.held.get(topic)?.push(partition);
  load.total += 1;
}

function move(from: MemberLoad, to: MemberLoad, topic: string): void {
  give(to, topic, from.held.get(topic)?.pop() as number);
  from.total -= 1;
}

/** Of those with the fewest of the topic, the one with the fewest of all. */
const least = (among: readonly MemberLoad[], topic: string): MemberLoad =>
  among.reduce((best, load) => ((countOf(load, topic) - countOf(best, topic) || load.total - best.total) < 0 ? load : best));

const most = (among: readonly MemberLoad[], topic: string): MemberLoad =>
  among.reduce((best, load) => ((countOf(load, topic) - countOf(best, topic) || load.total - best.total) > 0 ? load : best));
