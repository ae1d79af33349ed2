// What a broker answers to a fetch, with the sessions of KIP-227, leaders' epochs of KIP-320, and the wait for something new.
import { ERROR, type WireReader } from '@tailwater/runtime';
import { Answer } from './answer.js';
import { type Controller, nameOf, type SimulatedPartition } from './controller.js';

interface Asked {
  readonly topic: string;
  readonly partition: number;
  readonly epoch: number;
  readonly offset: number;
  readonly maxBytes: number;
  /** What the session was told last. */
  told: number;
}

interface Session {
  epoch: number;
  readonly partitions: Map<string, Asked>;
}

interface Found {
  readonly asked: Asked;
  readonly error: number;
  readonly highWatermark: number;
  readonly stable: number;
  readonly records: Buffer;
  readonly aborted: readonly { readonly producerId: number; readonly first: number }[];
}

export interface FetchRequest {
  readonly maxWaitMs: number;
  readonly maxBytes: number;
  readonly sessionId: number;
  readonly session: Session;
}

const NONE = Buffer.alloc(0);
const LAST_SESSION_EPOCH = -1;

export class Fetching {
  readonly #controller: Controller;
  readonly #node: number;
  readonly #sessions = new Map<number, Session>();
  #ids: number;

  constructor(controller: Controller, node: number) {
    this.#controller = controller;
    this.#node = node;
    this.#ids = node * 1_000_000;
  }

  /** As a broker that was started anew has none. */
  forget(): void {
    this.#sessions.clear();
  }

  /** @returns the error of the session, or what is asked for */
  parse(from: WireReader): FetchRequest | number {
    from.skipTags();
    from.int32();
    const maxWaitMs = from.int32();
    from.int32();
    const maxBytes = from.int32();
    from.int8();
    const [id, epoch] = [from.int32(), from.int32()];
    const positions = from
      .compactArray(() => {
        const topic = from.compactString() ?? '';
        const each = from.compactArray(() => readAsked(from, topic));
        from.skipTags();
        return each;
      })
      .flat();
    const forgotten = from
      .compactArray(() => {
        const topic = from.compactString() ?? '';
        const each = from.compactArray(() => nameOf(topic, from.int32()));
        from.skipTags();
        return each;
      })
      .flat();
    let [sessionId, session] = [id, this.#sessions.get(id)];
    if (epoch === 0 || epoch === LAST_SESSION_EPOCH) {
      this.#sessions.delete(id);
      session = { epoch: 0, partitions: new Map() };
      sessionId = ++this.#ids;
      this.#sessions.set(sessionId, session);
    } else if (session === undefined) return ERROR.FETCH_SESSION_ID_NOT_FOUND;
    else if (session.epoch !== epoch) return ERROR.INVALID_FETCH_SESSION_EPOCH;
    for (const asked of positions) session.partitions.set(nameOf(asked.topic, asked.partition), asked);
    for (const name of forgotten) session.partitions.delete(name);
    session.epoch += 1;
    return { maxWaitMs, maxBytes, sessionId, session };
  }

  /** Whether there is something to tell at once. */
  look({ session, maxBytes }: FetchRequest): { readonly found: Found[]; readonly isWorthTelling: boolean } {
    let left = maxBytes;
    const found = [...session.partitions.values()].map((asked) => {
      const each = this.#read(asked, left);
      left -= each.records.length;
      return each;
    });
    return { found, isWorthTelling: found.some(({ error, records }) => error !== ERROR.NONE || records.length > 0) };
  }

  answer({ session, sessionId }: FetchRequest, found: readonly Found[]): Buffer {
    const isFirst = session.epoch === 1;
    const told = found.filter(
      ({ asked, error, records, highWatermark }) => isFirst || error !== 0 || records.length > 0 || asked.told !== highWatermark,
    );
    const out = new Answer();
    out.to
      .noTags()
      .int32(0)
      .int16(ERROR.NONE)
      .int32(sessionId)
      .unsignedVarint(told.length + 1);
    for (const { asked, error, highWatermark, stable, records, aborted } of told) {
      asked.told = highWatermark;
      out.to.compactString(asked.topic).unsignedVarint(2).int32(asked.partition).int16(error).int64(highWatermark).int64(stable).int64(0);
      out.to.compactArray(aborted, ({ producerId, first }) => out.to.int64(producerId).int64(first).noTags()).int32(-1);
      out.compactBlob(records).to.noTags().noTags();
    }
    out.to.noTags();
    return out.bytes;
  }

  #read(asked: Asked, maxBytes: number): Found {
    const { topic, partition, epoch, offset } = asked;
    const refuse = (error: number) => ({ asked, error, highWatermark: -1, stable: -1, records: NONE, aborted: [] });
    const there: SimulatedPartition | undefined = this.#controller.get(topic, partition);
    if (there === undefined) return refuse(ERROR.UNKNOWN_TOPIC_OR_PARTITION);
    const known = there.known.get(this.#node);
    if (known?.leader !== this.#node) return refuse(ERROR.NOT_LEADER_OR_FOLLOWER);
    if (epoch >= 0 && epoch < known.epoch) return refuse(ERROR.FENCED_LEADER_EPOCH);
    if (epoch > known.epoch) return refuse(ERROR.UNKNOWN_LEADER_EPOCH);
    return { asked, ...there.log.read(this.#node, offset, Math.max(0, Math.min(maxBytes, asked.maxBytes))) };
  }
}

function readAsked(from: WireReader, topic: string): Asked {
  const partition = from.int32();
  const [epoch, offset] = [from.int32(), from.int64()];
  from.int32();
  from.int64();
  const maxBytes = from.int32();
  from.skipTags();
  return { topic, partition, epoch, offset, maxBytes, told: -1 };
}
