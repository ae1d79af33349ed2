// A target: it is slow, refuses, applies without an answer, and answers late. With versions it refuses what is older than what it has, as Elasticsearch and Solr do;
// without, order alone decides, as in MongoDB.
import { errorCodes, TailwaterError } from '@tailwater/runtime';
import type { Change } from '#consumer/changes/change.js';
import { APPLIED, type ChangeResult, SUPERSEDED, TARGET_API_VERSION, type Target } from '#consumer/targets/target.js';
import type { Random } from './random.js';
import type { Process, VirtualTime } from './virtual-time.js';

/** Which document a change is of. */
export const documentOf = ({ topic, key }: Pick<Change, 'topic' | 'key'>): string => `${topic} ${key}`;

export interface TargetOptions {
  readonly comparesVersions: boolean;
  /** A request arrives within so many milliseconds, or never. */
  readonly arrivesWithinMs: number;
  /** So many times slower than what is next to it. */
  readonly slowness: number;
}

export interface TargetWatch {
  /** A change has arrived, and is the target's by now. */
  arrived(owner: Process, change: Change): void;
}

/** No answer takes longer. */
const SLOWEST_MS = 2_000;
const FAILED = errorCodes.TARGET_UNREACHABLE;

export class SimulatedTarget {
  /** The newest change of each document that the target took, deletes included. */
  readonly state = new Map<string, Change>();
  /** How often something goes wrong, from 0 to 1. */
  trouble = 0;
  readonly options: TargetOptions;
  readonly #time: VirtualTime;
  readonly #random: Random;
  readonly #watch: TargetWatch;

  constructor(time: VirtualTime, random: Random, watch: TargetWatch, options: TargetOptions) {
    this.#time = time;
    this.#random = random;
    this.#watch = watch;
    this.options = options;
  }

  /** As one process sees it. */
  connect(process: Process): Target {
    let mayApply = (): boolean => true;
    return {
      apiVersion: TARGET_API_VERSION,
      kind: 'simulated',
      comparesVersions: this.options.comparesVersions,
      nameOf: ({ database, collection }) => `${database}.${collection}`,
      connect: async () => undefined,
      close: async () => undefined,
      guard: (asked) => {
        mayApply = asked;
      },
      applyBatch: (changes, signal) => {
        if (!this.options.comparesVersions && !mayApply()) return Promise.reject(notHeld());
        return this.#request(process, changes, signal);
      },
    };
  }

  #request(process: Process, changes: readonly Change[], signal: AbortSignal): Promise<readonly ChangeResult[]> {
    const [time, random] = [this.#time, this.#random];
    const isLost = random.chance(this.trouble / 3);
    const isAnswerLost = random.chance(this.trouble / 3);
    const isBusy = random.chance(this.trouble);
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      const fail = () => reject(unreachable());
      if (isLost) {
        time.after(random.delay() * 2, process, fail);
        return;
      }
      // What was sent arrives also when its sender is gone.
      time.after(Math.min(random.delay(), this.options.arrivesWithinMs), undefined, () => {
        const results = changes.map((change) => (isBusy && random.chance(0.5) ? busy() : this.#apply(process, change)));
        time.after(Math.min(SLOWEST_MS, random.delay() * this.options.slowness), process, () => (isAnswerLost ? fail() : resolve(results)));
      });
    });
  }

  #apply(process: Process, change: Change): ChangeResult {
    const document = documentOf(change);
    const before = this.state.get(document);
    if (this.options.comparesVersions && before !== undefined && before.position.compare(change.position) > 0) {
      this.#watch.arrived(process, change);
      return SUPERSEDED;
    }
    this.state.set(document, change);
    this.#watch.arrived(process, change);
    return APPLIED;
  }
}

const busy = (): ChangeResult => ({ status: 'rejected', code: errorCodes.TARGET_OVERLOADED, reason: 'too many requests', retriable: true });
const unreachable = (): TailwaterError => new TailwaterError(FAILED, { target: 'simulated', url: 'http://target', reason: 'no answer' });
const notHeld = (): TailwaterError => new TailwaterError(errorCodes.PARTITIONS_IN_DOUBT, {});
