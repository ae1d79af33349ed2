// A group's coordinator as Kafka has it, for one group: ids are given before a member may join, a group that nobody is in waits for others, and who does not say
// that it lives, or is waited for in vain, is forgotten. It reads and writes the bytes of the protocol.
import { type Broker, type BrokerConnections, type BrokerRequest, ERROR, WireReader, WireWriter } from '@tailwater/runtime';

interface ModelMember {
  readonly id: string;
  metadata: Buffer;
  assignment: Buffer;
  /** Answers the request to join that is under way. */
  joined: ((answer: Buffer) => void) | undefined;
  synced: ((answer: Buffer) => void) | undefined;
}

const string = (from: WireReader): string => from.string() ?? '';
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export class ModelCoordinator {
  readonly members = new Map<string, ModelMember>();
  /** Those that were given an id, and have not joined with it. */
  readonly pending = new Set<string>();
  /** All ids that were ever given, with who had them. */
  readonly ids: { readonly id: string; readonly by: unknown }[] = [];
  /** So many times members said that they live. */
  heartbeats = 0;
  readonly #delayMs: number;
  readonly #latencyMs: () => number;
  #generation = 0;
  #state: 'stable' | 'preparing' | 'completing' = 'stable';
  #leader = '';
  #closed = false;

  /** @param delayMs - how long a group waits for others when its first member joins */
  constructor(delayMs: number, latencyMs: () => number) {
    this.#delayMs = delayMs;
    this.#latencyMs = latencyMs;
  }

  /** The connections of one process. */
  connections(by: unknown): BrokerConnections {
    const send = async <T>(request: BrokerRequest<T>): Promise<T> => {
      await pause(this.#latencyMs());
      if (this.#closed) throw Object.assign(new Error('closed'), { retriable: true });
      const to = new WireWriter();
      request.write(to);
      const answer = await this.#answer(request.name, new WireReader(to.bytes), by);
      await pause(this.#latencyMs());
      return request.read(new WireReader(answer));
    };
    const broker = { send } as unknown as Broker;
    const [there, nothing] = [() => Promise.resolve(broker), () => undefined];
    return { any: there, node: there, know: nothing, drop: nothing, dropIdle: nothing, close: nothing } as unknown as BrokerConnections;
  }

  /** Nobody is answered any more; what is under way fails. */
  close(): void {
    this.#closed = true;
  }

  /** The coordinator forgets a member, as it does when nothing was heard of it. */
  forget(id: string): void {
    const member = this.members.get(id);
    this.members.delete(id);
    this.pending.delete(id);
    member?.joined?.(joinAnswer(ERROR.UNKNOWN_MEMBER_ID));
    member?.synced?.(syncAnswer(ERROR.UNKNOWN_MEMBER_ID));
    if (member !== undefined && this.members.size > 0) this.#prepare();
    // Others may have waited for it.
    else void pause(0).then(() => this.#complete());
  }

  async #answer(name: string, from: WireReader, by: unknown): Promise<Buffer> {
    if (name === 'FindCoordinator') {
      const to = new WireWriter().int32(0).int16(ERROR.NONE).string(null);
      return to.int32(1).string('model').int32(1).bytes;
    }
    if (name === 'JoinGroup') return this.#join(from, by);
    if (name === 'SyncGroup') return this.#sync(from);
    if (name === 'Heartbeat') {
      string(from);
      return new WireWriter().int32(0).int16(this.#heartbeat(from.int32(), string(from))).bytes;
    }
    if (name === 'LeaveGroup') {
      string(from);
      const [id = ''] = from.array(() => string(from));
      const isKnown = this.members.has(id) || this.pending.has(id);
      this.forget(id);
      return new WireWriter().int32(0).int16(isKnown ? ERROR.NONE : ERROR.UNKNOWN_MEMBER_ID).bytes;
    }
    throw new Error(`Not modelled: ${name}`);
  }

  #heartbeat(generation: number, id: string): number {
    this.heartbeats += 1;
    if (!this.members.has(id)) return ERROR.UNKNOWN_MEMBER_ID;
    if (generation !== this.#generation) return ERROR.ILLEGAL_GENERATION;
    return this.#state === 'preparing' ? ERROR.REBALANCE_IN_PROGRESS : ERROR.NONE;
  }

  #join(from: WireReader, by: unknown): Promise<Buffer> | Buffer {
    string(from);
    from.int32();
    from.int32();
    const id = string(from);
    from.string();
    string(from);
    const [metadata = Buffer.alloc(0)] = from.array(() => {
      string(from);
      return Buffer.from(from.blob() ?? '');
    });
    if (id === '') {
      const given = `member-${this.ids.length}`;
      this.ids.push({ id: given, by });
      this.pending.add(given);
      return joinAnswer(ERROR.MEMBER_ID_REQUIRED, given);
    }
    if (!this.pending.delete(id) && !this.members.has(id)) return joinAnswer(ERROR.UNKNOWN_MEMBER_ID);
    const wasEmpty = this.members.size === 0;
    const member = this.members.get(id) ?? { id, metadata, assignment: Buffer.alloc(0), joined: undefined, synced: undefined };
    member.metadata = metadata;
    this.members.set(id, member);
    const answer = new Promise<Buffer>((resolve) => {
      member.joined = resolve;
    });
    this.#prepare();
    void pause(wasEmpty ? this.#delayMs : 0).then(() => this.#complete());
    return answer;
  }

  #prepare(): void {
    this.#state = 'preparing';
    for (const member of this.members.values()) member.synced?.(syncAnswer(ERROR.REBALANCE_IN_PROGRESS));
    void pause(0).then(() => this.#complete());
  }

  #complete(): void {
    const members = [...this.members.values()];
    if (this.#state !== 'preparing' || members.length === 0 || this.pending.size > 0) return;
    if (members.some(({ joined }) => joined === undefined)) return;
    this.#generation += 1;
    this.#state = 'completing';
    this.#leader = members[0]?.id ?? '';
    for (const member of members) {
      const answer = joinAnswer(ERROR.NONE, member.id, this.#generation, this.#leader, member.id === this.#leader ? members : []);
      member.joined?.(answer);
      member.joined = undefined;
    }
  }

  #sync(from: WireReader): Promise<Buffer> | Buffer {
    string(from);
    const generation = from.int32();
    const member = this.members.get(string(from));
    from.string();
    if (member === undefined) return syncAnswer(ERROR.UNKNOWN_MEMBER_ID);
    if (generation !== this.#generation) return syncAnswer(ERROR.ILLEGAL_GENERATION);
    if (this.#state === 'preparing') return syncAnswer(ERROR.REBALANCE_IN_PROGRESS);
    const assignments = new Map(from.array(() => [string(from), Buffer.from(from.blob() ?? '')] as const));
    const answer = new Promise<Buffer>((resolve) => {
      member.synced = (bytes) => {
        member.synced = undefined;
        resolve(bytes);
      };
    });
    if (member.id === this.#leader) {
      this.#state = 'stable';
      for (const each of this.members.values()) each.assignment = assignments.get(each.id) ?? Buffer.alloc(0);
    }
    if (this.#state === 'stable') for (const each of this.members.values()) each.synced?.(syncAnswer(ERROR.NONE, each.assignment));
    return answer;
  }
}

const joinAnswer = (error: number, id = '', generation = -1, leader = '', members: readonly ModelMember[] = []): Buffer => {
  const to = new WireWriter().int32(0).int16(error).int32(generation).string('model').string(leader).string(id);
  return to.array(members, (member) => to.string(member.id).string(null).blob(member.metadata)).bytes;
};

const syncAnswer = (error: number, assignment: Buffer = Buffer.alloc(0)): Buffer =>
  new WireWriter().int32(0).int16(error).blob(assignment).bytes;
