// The coordinator of one group, as Kafka's classic protocol has it: members, generations, a rebalance that waits for those who are late, and commits. What it has stored
// outlives its broker; what waits does not. https://cwiki.apache.org/confluence/display/KAFKA/Kafka+Client-side+Assignment+Proposal
import { ERROR } from '@tailwater/runtime';
import type { Process, VirtualTime } from '../virtual-time.js';

export interface JoinRequest {
  readonly memberId: string;
  readonly sessionMs: number;
  readonly rebalanceMs: number;
  readonly protocol: string;
  readonly metadata: Buffer;
  /** Whose request it is. */
  readonly owner: Process;
}

export interface JoinResult {
  readonly error: number;
  readonly generation: number;
  readonly leaderId: string;
  readonly memberId: string;
  readonly members: readonly { readonly memberId: string; readonly metadata: Buffer }[];
}

export interface SyncResult {
  readonly error: number;
  readonly assignment: Buffer;
}

export interface GroupMemberState {
  readonly id: string;
  readonly owner: Process;
  readonly sessionMs: number;
  rebalanceMs: number;
  metadata: Buffer;
  assignment: Buffer;
  joining: ((result: JoinResult) => unknown) | undefined;
  syncing: ((result: SyncResult) => unknown) | undefined;
  session: { cancel(): void } | undefined;
}

type State = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable';

const NOTHING = Buffer.alloc(0);
/** `group.initial.rebalance.delay.ms`. */
const INITIAL_DELAY_MS = 150;

export class GroupCoordinator {
  state: State = 'Empty';
  generation = 0;
  protocol = '';
  readonly members = new Map<string, GroupMemberState>();
  /** Ids that were given, and not used yet. */
  readonly pending = new Map<string, Process>();
  readonly offsets = new Map<string, { readonly offset: number; readonly metadata: string | null }>();
  readonly #time: VirtualTime;
  #leaderId = '';
  #ids = 0;
  #stored: { generation: number; protocol: string; leaderId: string; members: GroupMemberState[] } | undefined;
  #deadline: { cancel(): void } | undefined;

  constructor(time: VirtualTime) {
    this.#time = time;
  }

  /** Another broker coordinates: what waited is refused, and what was stored is read. */
  moved(): void {
    for (const member of this.members.values()) {
      this.#refuse(member, ERROR.NOT_COORDINATOR);
      member.session?.cancel();
    }
    this.#deadline?.cancel();
    this.members.clear();
    this.pending.clear();
    const { generation = 0, protocol = '', leaderId = '', members = [] } = this.#stored ?? {};
    [this.generation, this.protocol, this.#leaderId] = [generation, protocol, leaderId];
    this.state = members.length === 0 ? 'Empty' : 'Stable';
    for (const member of members) {
      this.members.set(member.id, { ...member, joining: undefined, syncing: undefined, session: undefined });
      this.#alive(this.members.get(member.id) as GroupMemberState);
    }
  }

  join(request: JoinRequest, done: (result: JoinResult) => unknown): void {
    const { memberId, protocol, metadata } = request;
    const refuse = (error: number, id = memberId) => done({ error, generation: -1, leaderId: '', memberId: id, members: [] });
    if (this.members.size > 0 && protocol !== this.protocol) {
      refuse(ERROR.INCONSISTENT_GROUP_PROTOCOL);
      return;
    }
    if (memberId === '') {
      const id = `member-${++this.#ids}`;
      this.pending.set(id, request.owner);
      this.#time.after(request.sessionMs, undefined, () => {
        if (this.pending.delete(id)) this.#completeIfAll();
      });
      refuse(ERROR.MEMBER_ID_REQUIRED, id);
      return;
    }
    const member = this.members.get(memberId);
    if (member === undefined) {
      if (!this.pending.delete(memberId)) {
        refuse(ERROR.UNKNOWN_MEMBER_ID);
        return;
      }
      this.#add(request, done);
      return;
    }
    const isSame = member.metadata.equals(metadata);
    const isLeaders = member.id === this.#leaderId;
    if ((this.state === 'CompletingRebalance' && isSame) || (this.state === 'Stable' && isSame && !isLeaders)) {
      done(this.#result(member));
      return;
    }
    member.metadata = metadata;
    member.rebalanceMs = request.rebalanceMs;
    // The request before has lost its asker.
    member.joining?.({ error: ERROR.UNKNOWN_MEMBER_ID, generation: -1, leaderId: '', memberId, members: [] });
    member.joining = done;
    this.#prepare();
    this.#completeIfAll();
  }

  sync(memberId: string, generation: number, assignments: ReadonlyMap<string, Buffer>, done: (result: SyncResult) => unknown): void {
    const error = this.#check(memberId, generation);
    if (error !== ERROR.NONE) {
      done({ error, assignment: NOTHING });
      return;
    }
    const member = this.members.get(memberId) as GroupMemberState;
    if (this.state === 'PreparingRebalance') {
      done({ error: ERROR.REBALANCE_IN_PROGRESS, assignment: NOTHING });
      return;
    }
    this.#alive(member);
    if (this.state === 'Stable') {
      done({ error: ERROR.NONE, assignment: member.assignment });
      return;
    }
    member.syncing = done;
    if (memberId !== this.#leaderId) return;
    for (const each of this.members.values()) each.assignment = assignments.get(each.id) ?? NOTHING;
    this.state = 'Stable';
    this.#store();
    for (const each of this.members.values()) {
      const waiting = each.syncing;
      each.syncing = undefined;
      this.#alive(each);
      waiting?.({ error: ERROR.NONE, assignment: each.assignment });
    }
  }

  heartbeat(memberId: string, generation: number): number {
    const error = this.#check(memberId, generation);
    if (error !== ERROR.NONE) return error;
    this.#alive(this.members.get(memberId) as GroupMemberState);
    return this.state === 'PreparingRebalance' ? ERROR.REBALANCE_IN_PROGRESS : ERROR.NONE;
  }

  leave(memberId: string): number {
    if (this.pending.delete(memberId)) {
      this.#completeIfAll();
      return ERROR.NONE;
    }
    const member = this.members.get(memberId);
    if (member === undefined) return ERROR.UNKNOWN_MEMBER_ID;
    this.#remove(member);
    return ERROR.NONE;
  }

  /** Whether offsets of this member are taken. */
  commits(memberId: string, generation: number): number {
    const error = this.#check(memberId, generation);
    if (error !== ERROR.NONE) return error;
    if (this.state === 'CompletingRebalance') return ERROR.REBALANCE_IN_PROGRESS;
    this.#alive(this.members.get(memberId) as GroupMemberState);
    return ERROR.NONE;
  }

  #check(memberId: string, generation: number): number {
    if (!this.members.has(memberId)) return ERROR.UNKNOWN_MEMBER_ID;
    return generation === this.generation ? ERROR.NONE : ERROR.ILLEGAL_GENERATION;
  }

  #add(request: JoinRequest, joining: (result: JoinResult) => unknown): void {
    const { memberId: id, owner, sessionMs, rebalanceMs, metadata, protocol } = request;
    this.protocol = protocol;
    const isFirst = this.members.size === 0;
    if (isFirst) this.#leaderId = id;
    const member = { id, owner, sessionMs, rebalanceMs, metadata, joining, syncing: undefined, assignment: NOTHING, session: undefined };
    this.members.set(id, member);
    if (!isFirst || this.state !== 'Empty') {
      this.#prepare();
      this.#completeIfAll();
      return;
    }
    this.state = 'PreparingRebalance';
    this.#deadline = this.#time.after(INITIAL_DELAY_MS, undefined, () => this.#complete());
  }

  #prepare(): void {
    if (this.state === 'PreparingRebalance') return;
    for (const member of this.members.values()) {
      member.syncing?.({ error: ERROR.REBALANCE_IN_PROGRESS, assignment: NOTHING });
      member.syncing = undefined;
    }
    this.state = 'PreparingRebalance';
    const waitMs = Math.max(...[...this.members.values()].map(({ rebalanceMs }) => rebalanceMs));
    this.#deadline = this.#time.after(waitMs, undefined, () => this.#complete());
  }

  #completeIfAll(): void {
    if (this.state !== 'PreparingRebalance' || this.pending.size > 0) return;
    if ([...this.members.values()].every(({ joining }) => joining !== undefined)) this.#complete();
  }

  #complete(): void {
    this.#deadline?.cancel();
    for (const member of [...this.members.values()]) {
      if (member.joining !== undefined) continue;
      member.session?.cancel();
      this.members.delete(member.id);
    }
    this.generation += 1;
    const first = [...this.members.keys()][0];
    if (first === undefined) {
      this.state = 'Empty';
      this.#store();
      return;
    }
    if (!this.members.has(this.#leaderId)) this.#leaderId = first;
    this.state = 'CompletingRebalance';
    for (const member of this.members.values()) {
      const waiting = member.joining;
      member.joining = undefined;
      this.#alive(member);
      waiting?.(this.#result(member));
    }
  }

  #result({ id }: GroupMemberState): JoinResult {
    const isLeader = id === this.#leaderId;
    const members = isLeader ? [...this.members.values()].map(({ id: memberId, metadata }) => ({ memberId, metadata })) : [];
    return { error: ERROR.NONE, generation: this.generation, leaderId: this.#leaderId, memberId: id, members };
  }

  #alive(member: GroupMemberState): void {
    member.session?.cancel();
    member.session = this.#time.after(member.sessionMs, undefined, () => {
      if (this.members.get(member.id) !== member) return;
      // Who waits to join, or to be given something, is not asked.
      if (member.joining !== undefined || member.syncing !== undefined) this.#alive(member);
      else this.#remove(member);
    });
  }

  #remove(member: GroupMemberState): void {
    member.session?.cancel();
    this.#refuse(member, ERROR.UNKNOWN_MEMBER_ID);
    this.members.delete(member.id);
    if (this.state === 'Stable' || this.state === 'CompletingRebalance') this.#prepare();
    this.#completeIfAll();
  }

  #refuse(member: GroupMemberState, error: number): void {
    member.joining?.({ error, generation: -1, leaderId: '', memberId: member.id, members: [] });
    member.syncing?.({ error, assignment: NOTHING });
    member.joining = undefined;
    member.syncing = undefined;
  }

  #store(): void {
    this.#stored = {
      generation: this.generation,
      protocol: this.protocol,
      leaderId: this.#leaderId,
      members: [...this.members.values()].map((member) => ({ ...member })),
    };
  }
}
