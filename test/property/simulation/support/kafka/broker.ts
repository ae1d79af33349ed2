// One broker: which request is answered with what, by what it knows at that moment. https://kafka.apache.org/protocol
import { ERROR, WireReader, type WireWriter } from '@tailwater/runtime';
import type { Process, VirtualTime } from '../virtual-time.js';
import { answer } from './answer.js';
import { type BrokerNode, type Controller, GROUPS, nameOf, TRANSACTIONS } from './controller.js';
import { Fetching, type FetchRequest } from './fetching.js';
import type { GroupCoordinator } from './group-coordinator.js';
import type { TransactionRequests } from './transaction-requests.js';

export const PORT = 9090;
/** The first of Metadata that names topics by ids. */
const WITH_IDS = 12;

interface Waiting {
  readonly request: FetchRequest;
  readonly finish: () => void;
}

export interface BrokerParts {
  readonly time: VirtualTime;
  readonly controller: Controller;
  readonly group: GroupCoordinator;
  readonly transactions: TransactionRequests;
  /** Told of what is about to be committed. */
  readonly onCommit: (owner: Process, topic: string, partition: number, offset: number) => void;
}

type Answered = (bytes: Buffer) => unknown;

export class SimulatedBroker {
  readonly node: BrokerNode;
  readonly #parts: BrokerParts;
  readonly #fetching: Fetching;
  readonly #waiting = new Set<Waiting>();

  constructor(node: BrokerNode, parts: BrokerParts) {
    this.node = node;
    this.#parts = parts;
    this.#fetching = new Fetching(parts.controller, node.id);
    parts.controller.onChange.push((_, of) => {
      if (of === undefined || of === node.id) for (const waiting of this.#waiting) this.#look(waiting);
    });
  }

  /** As after a start. */
  restarted(): void {
    this.#waiting.clear();
    this.#fetching.forget();
  }

  handle(apiKey: number, version: number, body: Buffer, owner: Process, done: Answered): void {
    const from = new WireReader(body);
    const at = this.#answers(version, from, owner)[apiKey];
    if (at !== undefined) done(at());
    else if (apiKey === 1) this.#fetch(from, done);
    else if (apiKey === 11) this.#join(from, owner, done);
    else if (apiKey === 14) this.#sync(from, done);
    else this.#parts.transactions.handle(this.node.id, apiKey, from, done);
  }

  /** Those that are answered at once. */
  #answers(version: number, from: WireReader, owner: Process): Readonly<Record<number, () => Buffer>> {
    return {
      2: () => this.#listOffsets(from),
      3: () => (version >= WITH_IDS ? this.#metadataWithIds() : this.#metadata(from)),
      8: () => this.#offsetCommit(from, owner),
      9: () => this.#offsetFetch(from),
      10: () => this.#findCoordinator(from),
      12: () => this.#heartbeat(from),
      13: () => this.#leave(from),
      15: () => this.#describeGroup(),
      32: () => this.#configs(from),
    };
  }

  #fetch(from: WireReader, done: Answered): void {
    const request = this.#fetching.parse(from);
    if (typeof request === 'number') {
      done(answer((to) => to.noTags().int32(0).int16(request).int32(0).unsignedVarint(1).noTags()));
      return;
    }
    const waiting: Waiting = {
      request,
      finish: () => {
        if (!this.#waiting.delete(waiting)) return;
        done(this.#fetching.answer(request, this.#fetching.look(request).found));
      },
    };
    this.#waiting.add(waiting);
    this.#parts.time.after(request.maxWaitMs, this.node.process, waiting.finish);
    this.#look(waiting);
  }

  #look(waiting: Waiting): void {
    // What is frozen looks when it is not any more.
    if (!this.node.process.isFrozen && this.#fetching.look(waiting.request).isWorthTelling) waiting.finish();
  }

  #listOffsets(from: WireReader): Buffer {
    from.int32();
    const isCommitted = from.int8() === 1;
    const topics = from.array(() => ({
      topic: from.string() ?? '',
      asked: from.array(() => ({ partition: from.int32(), time: from.int64() })),
    }));
    return answer((to) =>
      to
        .int32(0)
        .array(topics, ({ topic, asked }) =>
          to.string(topic).array(asked, ({ partition, time }) => this.#listOffset(to, topic, partition, time, isCommitted)),
        ),
    );
  }

  #listOffset(to: WireWriter, topic: string, partition: number, time: number, isCommitted: boolean): void {
    const there = this.#parts.controller.get(topic, partition);
    to.int32(partition);
    if (there?.known.get(this.node.id)?.leader !== this.node.id) {
      to.int16(ERROR.NOT_LEADER_OR_FOLLOWER).int64(-1).int64(-1);
      return;
    }
    const { highWatermark, stable } = there.log.shown(this.node.id);
    // A leader that does not know yet how far the others are does not say (KIP-207).
    if (time === -1 && highWatermark < there.log.highWatermark) {
      to.int16(ERROR.OFFSET_NOT_AVAILABLE).int64(-1).int64(-1);
      return;
    }
    const latest = isCommitted ? stable : highWatermark;
    const first = there.log.end === 0 ? -1 : 0;
    to.int16(ERROR.NONE)
      .int64(time >= 0 && first === 0 ? 1_800_000_000_000 : -1)
      .int64(time === -1 ? latest : time === -2 ? 0 : first);
  }

  #metadataWithIds(): Buffer {
    const topics = this.#topics();
    return answer((to) => {
      to.noTags().int32(0);
      to.compactArray(this.#upBrokers(), ({ id }) =>
        to
          .int32(id)
          .compactString('broker')
          .int32(PORT + id)
          .unsignedVarint(0)
          .noTags(),
      );
      to.compactString('cluster').int32(1);
      to.compactArray(topics, ({ topic, id, leaders }) => {
        to.int16(0).compactString(topic);
        for (let at = 0; at < 32; at += 2) to.int8((Number.parseInt(id.slice(at, at + 2), 16) << 24) >> 24);
        to.boolean(false).compactArray(leaders, ({ partition, leader, epoch }) => {
          to.int16(0).int32(partition).int32(leader).int32(epoch);
          to.compactArray([1, 2, 3], (node) => to.int32(node))
            .compactArray([], () => undefined)
            .compactArray([], () => undefined)
            .noTags();
        });
        to.int32(0).noTags();
      });
      to.noTags();
    });
  }

  #metadata(from: WireReader): Buffer {
    const count = from.int32();
    const names = count < 0 ? undefined : new Set(Array.from({ length: count }, () => from.string() ?? ''));
    const topics = this.#topics().filter(({ topic }) => names === undefined || names.has(topic));
    return answer((to) => {
      to.int32(0);
      to.array(this.#upBrokers(), ({ id }) =>
        to
          .int32(id)
          .string('broker')
          .int32(PORT + id)
          .string(null),
      );
      to.string('cluster').int32(1);
      to.array(topics, ({ topic, leaders }) =>
        to
          .int16(0)
          .string(topic)
          .boolean(false)
          .array(leaders, ({ partition, leader }) =>
            to
              .int16(0)
              .int32(partition)
              .int32(leader)
              .array([1, 2, 3], (node) => to.int32(node))
              .array([], () => undefined)
              .array([], () => undefined),
          ),
      );
    });
  }

  #upBrokers(): readonly BrokerNode[] {
    return this.#parts.controller.nodes.filter(({ isUp, id }) => isUp || id === this.node.id);
  }

  #topics() {
    const { controller } = this.#parts;
    return [...controller.topics]
      .filter(([, { knownTo }]) => knownTo.has(this.node.id))
      .map(([topic, { id, partitions }]) => ({
        topic,
        id,
        leaders: Array.from({ length: partitions }, (_, partition) => ({
          partition,
          leader: -1,
          epoch: -1,
          ...controller.get(topic, partition)?.known.get(this.node.id),
        })),
      }));
  }

  #findCoordinator(from: WireReader): Buffer {
    from.string();
    const kind = from.int8();
    const leader = this.#parts.controller.get(kind === 0 ? GROUPS : TRANSACTIONS)?.known.get(this.node.id)?.leader ?? -1;
    const error = leader < 0 ? ERROR.COORDINATOR_NOT_AVAILABLE : ERROR.NONE;
    return answer((to) =>
      to
        .int32(0)
        .int16(error)
        .string(null)
        .int32(leader)
        .string('broker')
        .int32(PORT + leader),
    );
  }

  get #isCoordinator(): boolean {
    return this.#parts.controller.leads(this.node.id, GROUPS);
  }

  #join(from: WireReader, owner: Process, done: Answered): void {
    from.string();
    const [sessionMs, rebalanceMs, memberId] = [from.int32(), from.int32(), from.string() ?? ''];
    from.string();
    from.string();
    const [spoken] = from.array(() => ({ protocol: from.string() ?? '', metadata: Buffer.from(from.blob() ?? []) }));
    const { protocol = '', metadata = Buffer.alloc(0) } = spoken ?? {};
    const told = (result: Parameters<Parameters<GroupCoordinator['join']>[1]>[0]) =>
      done(
        answer((to) =>
          to
            .int32(0)
            .int16(result.error)
            .int32(result.generation)
            .string(protocol)
            .string(result.leaderId)
            .string(result.memberId)
            .array(result.members, (member) => to.string(member.memberId).string(null).blob(member.metadata)),
        ),
      );
    if (!this.#isCoordinator) {
      told({ error: ERROR.NOT_COORDINATOR, generation: -1, leaderId: '', memberId, members: [] });
      return;
    }
    this.#parts.group.join({ memberId, sessionMs, rebalanceMs, protocol, metadata, owner }, told);
  }

  #sync(from: WireReader, done: Answered): void {
    from.string();
    const [generation, memberId] = [from.int32(), from.string() ?? ''];
    from.string();
    const assignments = new Map(from.array(() => [from.string() ?? '', Buffer.from(from.blob() ?? [])] as const));
    const told = ({ error, assignment }: { readonly error: number; readonly assignment: Buffer }) =>
      done(answer((to) => to.int32(0).int16(error).blob(assignment)));
    if (!this.#isCoordinator) {
      told({ error: ERROR.NOT_COORDINATOR, assignment: Buffer.alloc(0) });
      return;
    }
    this.#parts.group.sync(memberId, generation, assignments, told);
  }

  #heartbeat(from: WireReader): Buffer {
    from.string();
    const [generation, memberId] = [from.int32(), from.string() ?? ''];
    const error = this.#isCoordinator ? this.#parts.group.heartbeat(memberId, generation) : ERROR.NOT_COORDINATOR;
    return answer((to) => to.int32(0).int16(error));
  }

  #leave(from: WireReader): Buffer {
    from.string();
    const [memberId = ''] = from.array(() => from.string() ?? '');
    const error = this.#isCoordinator ? this.#parts.group.leave(memberId) : ERROR.NOT_COORDINATOR;
    return answer((to) =>
      to
        .int32(0)
        .int16(error)
        .array([memberId], (id) => to.string(id).string(null).int16(error)),
    );
  }

  #offsetCommit(from: WireReader, owner: Process): Buffer {
    from.string();
    const [generation, memberId] = [from.int32(), from.string() ?? ''];
    const offsets = from
      .array(() => {
        const topic = from.string() ?? '';
        return from.array(() => ({ topic, partition: from.int32(), offset: from.int64(), metadata: from.string() }));
      })
      .flat();
    const { group, onCommit } = this.#parts;
    const error = this.#isCoordinator ? group.commits(memberId, generation) : ERROR.NOT_COORDINATOR;
    if (error === ERROR.NONE) {
      for (const { topic, partition, offset, metadata } of offsets) {
        onCommit(owner, topic, partition, offset);
        group.offsets.set(nameOf(topic, partition), { offset, metadata });
      }
    }
    return answer((to) =>
      to.int32(0).array(offsets, ({ topic, partition }) => to.string(topic).array([partition], () => to.int32(partition).int16(error))),
    );
  }

  #offsetFetch(from: WireReader): Buffer {
    from.string();
    const asked = from
      .array(() => {
        const topic = from.string() ?? '';
        return from.array(() => ({ topic, partition: from.int32() }));
      })
      .flat();
    const error = this.#isCoordinator ? ERROR.NONE : ERROR.NOT_COORDINATOR;
    return answer((to) =>
      to
        .int32(0)
        .array(asked, ({ topic, partition }) => {
          const { offset = -1, metadata = null } = this.#parts.group.offsets.get(nameOf(topic, partition)) ?? {};
          to.string(topic).array([partition], () => to.int32(partition).int64(offset).string(metadata).int16(error));
        })
        .int16(error),
    );
  }

  #describeGroup(): Buffer {
    const { state, members } = this.#parts.group;
    const error = this.#isCoordinator ? ERROR.NONE : ERROR.NOT_COORDINATOR;
    return answer((to) =>
      to.int32(0).array([state], () =>
        to
          .int16(error)
          .string('group')
          .string(state)
          .string('consumer')
          .string('')
          .array([...members.values()], ({ id, assignment }) => to.string(id).string('').string('').blob(null).blob(assignment)),
      ),
    );
  }

  #configs(from: WireReader): Buffer {
    const topics = from.array(() => {
      from.int8();
      const topic = from.string() ?? '';
      from.array(() => from.string());
      return topic;
    });
    return answer((to) =>
      to.int32(0).array(topics, (topic) =>
        to
          .int16(0)
          .string(null)
          .int8(2)
          .string(topic)
          .array([topic], () =>
            to
              .string('delete.retention.ms')
              .string('604800000')
              .boolean(false)
              .int8(1)
              .boolean(false)
              .array([], () => undefined),
          ),
      ),
    );
  }
}
