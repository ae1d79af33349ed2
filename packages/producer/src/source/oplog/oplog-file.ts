// `oplog.timestamp`, the checkpoint file of mongo-connector, so that a producer can begin where that has stopped: `["rs0", ts]`, or for a
// sharded cluster a list of such pairs. ts is `seconds << 32 | counter`, beyond what a JS number holds.
import { readFile } from 'node:fs/promises';
import { errorCodes, TailwaterError } from '@tailwater/runtime';
import { Position } from '@tailwater/schema';

/** A pair, its timestamp as text: JSON.parse would round it. */
const PAIR = /\[\s*"((?:[^"\\]|\\.)*)"\s*,\s*(\d{1,20})\s*\]/g;
/** Older versions wrote what Python prints of a collection, instead of a replica set's name. */
const REPLICA_SET = /^[\w-]+$/;

export class OplogFile {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /**
   * The place in the file; of several shards the oldest one.
   *
   * @param replicaSet - the one that is connected; undefined for a sharded cluster
   * @throws TailwaterError TW1064 when the file is missing, empty or holds something else, TW1065 for another replica set
   */
  async position(replicaSet: string | undefined): Promise<Position> {
    const places = parseOplogFile(await this.#read());
    const [first] = places;
    if (first === undefined) throw this.#unusable('it does not hold ["replica set", timestamp]');
    const named = first.name;
    if (replicaSet !== undefined && places.length === 1 && REPLICA_SET.test(named) && named !== replicaSet)
      throw new TailwaterError(errorCodes.OPLOG_FILE_OF_OTHER_REPLICA_SET, { file: this.#path, named, connected: replicaSet });
    return places.map(({ position }) => position).reduce((oldest, each) => (each.compare(oldest) < 0 ? each : oldest));
  }

  async #read(): Promise<string> {
    let text: string;
    try {
      text = await readFile(this.#path, 'utf8');
    } catch (error) {
      throw this.#unusable((error as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is no such file' : String(error));
    }
    if (text.trim() === '') throw this.#unusable('it is empty');
    return text;
  }

  #unusable(reason: string): TailwaterError {
    return new TailwaterError(errorCodes.OPLOG_FILE_UNUSABLE, { file: this.#path, reason });
  }
}

/** The pairs of the text; none when it is anything else, such as a file that was cut short. */
export function parseOplogFile(text: string): { readonly name: string; readonly position: Position }[] {
  const rest = text.replace(PAIR, '').replace(/[\s,]/g, '');
  if (rest !== '' && rest !== '[]') return [];
  return Array.from(text.matchAll(PAIR), ([, name = '', timestamp = '0']) => {
    const value = BigInt(timestamp);
    return { name, position: new Position(Number((value >> 32n) & 0xffff_ffffn), Number(value & 0xffff_ffffn)) };
  });
}
