// Puts together what $changeStreamSplitLargeEvent has cut: an event of more than 16 MB comes as fragments, each with some of
// the fields. https://www.mongodb.com/docs/manual/reference/operator/aggregation/changeStreamSplitLargeEvent/
import { BsonCursor } from '@tailwater/schema';
import { fragmentOf } from './event-place.js';

const ID = Buffer.from('_id');
const SPLIT_EVENT = Buffer.from('splitEvent');

const field = new BsonCursor();

export class SplitEvents {
  #fragments: Buffer[] = [];

  /** Whether fragments wait for those behind them: a stream cannot be resumed among them. */
  get isInside(): boolean {
    return this.#fragments.length > 0;
  }

  /** The events with each group of fragments as one; the fragments of an unfinished group are kept for the next call. */
  join(events: readonly Buffer[]): readonly Buffer[] {
    if (!this.isInside && !events.some((event) => fragmentOf(event) !== undefined)) return events;
    const whole: Buffer[] = [];
    for (const event of events) {
      const part = fragmentOf(event);
      if (part === undefined) {
        whole.push(event);
        continue;
      }
      if (part.fragment !== this.#fragments.length + 1) {
        throw new TypeError(`Fragment ${part.fragment} of ${part.of} of a change event follows ${this.#fragments.length} others`);
      }
      this.#fragments.push(event);
      if (part.fragment < part.of) continue;
      whole.push(joinFragments(this.#fragments));
      this.#fragments = [];
    }
    return whole;
  }
}

/** One document of all fields; its resume token is that of the last fragment, behind which the next event stands. */
function joinFragments(fragments: readonly Buffer[]): Buffer {
  const parts: Buffer[] = [Buffer.alloc(4)];
  fragments.forEach((source, index) => {
    field.enter(source, 0);
    while (field.next()) {
      if (field.isNamed(SPLIT_EVENT)) continue;
      if (field.isNamed(ID) && index < fragments.length - 1) continue;
      parts.push(source.subarray(field.nameStart - 1, field.valueEnd));
    }
  });
  parts.push(Buffer.alloc(1));
  const joined = Buffer.concat(parts);
  joined.writeInt32LE(joined.length, 0);
  return joined;
}
