// What is known of topics, by the answers of brokers that do not all know the same: one that has just started, or is cut off from the others, tells what was so a while ago. More is believed at
// once; that less is there, or another topic of the name, only when two brokers say so: else partitions would go and come back, and the group would share out in vain each time.
import type { TopicPartitions } from '@tailwater/runtime';

export type Topics = ReadonlyMap<string, TopicPartitions>;

/** Of so many topics that are gone it is remembered that they were there. */
const GONE_KEPT = 10_000;

/** An id that one of them does not tell says nothing. */
const isSameTopic = (a: TopicPartitions, b: TopicPartitions): boolean => a.id === undefined || b.id === undefined || a.id === b.id;

const agree = (a: TopicPartitions | undefined, b: TopicPartitions | undefined): boolean =>
  a === undefined || b === undefined ? a === b : isSameTopic(a, b);

export class KnownTopics {
  #topics: Topics = new Map();
  readonly #gone = new Set<string>();

  get topics(): Topics {
    return this.#topics;
  }

  /** Topics of which the answer takes away something that is known, or brings back what was gone: another broker is to be asked. */
  doubtsOf(answer: Topics): string[] {
    const denied = [...this.#topics].filter(([topic, known]) => !agree(known, answer.get(topic))).map(([topic]) => topic);
    const returned = [...answer.keys()].filter((topic) => this.#gone.has(topic) && !this.#topics.has(topic));
    return [...denied, ...returned];
  }

  /** @param second - what another broker says; undefined when there was no doubt, or nobody else to ask */
  learn(answer: Topics, second: Topics | undefined): void {
    const now = new Map<string, TopicPartitions>();
    const doubted = new Set(this.doubtsOf(answer));
    for (const topic of new Set([...this.#topics.keys(), ...answer.keys()])) {
      const [before, told] = [this.#topics.get(topic), answer.get(topic)];
      const isBelieved = !doubted.has(topic) || (second !== undefined && agree(told, second.get(topic)));
      const next = isBelieved ? newer(before, told) : before;
      if (next === undefined) this.#isGone(topic);
      else now.set(topic, next);
    }
    for (const topic of now.keys()) this.#gone.delete(topic);
    this.#topics = now;
  }

  #isGone(topic: string): void {
    this.#gone.add(topic);
    for (const oldest of this.#gone) {
      if (this.#gone.size <= GONE_KEPT) break;
      this.#gone.delete(oldest);
    }
  }
}

/** Of one topic partitions only come, and each has its leaders in the order of their epochs. Who tells no ids may speak of another topic, and is believed as it comes. */
function newer(before: TopicPartitions | undefined, told: TopicPartitions | undefined): TopicPartitions | undefined {
  if (before === undefined || told === undefined) return told;
  if (before.id === undefined || told.id === undefined) return { ...told, id: told.id ?? before.id };
  if (before.id !== told.id) return told;
  const count = Math.max(before.leaders.length, told.leaders.length);
  const [leaders, leaderEpochs]: [(number | undefined)[], number[]] = [[], []];
  for (let partition = 0; partition < count; partition += 1) {
    const last = epochOf(told, partition) >= epochOf(before, partition) ? told : before;
    leaders.push(last.leaders[partition]);
    leaderEpochs.push(epochOf(last, partition));
  }
  return { ...told, leaders, leaderEpochs };
}

/** Lower than any for a partition that it does not tell of. */
const epochOf = ({ leaderEpochs }: TopicPartitions, partition: number): number => leaderEpochs?.[partition] ?? Number.NEGATIVE_INFINITY;
