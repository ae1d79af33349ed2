// A member of a group: joins, is given something, says that it lives, leaves. What it is given, and what members say of themselves, is its user's business. One
// process is one member: there is one loop, which ends only when the member has left, whatever was under way, and what an earlier generation was given is known
// by its number.
// https://kafka.apache.org/protocol#The_Messages_JoinGroup, https://cwiki.apache.org/confluence/display/KAFKA/KIP-394 (a member has its id before it joins)
import { abortable } from '../../async/abortable.js';
import { Backoff } from '../../async/backoff.js';
import { Notifier } from '../../async/notifier.js';
import { sleep } from '../../async/sleep.js';
import type { Logger } from '../../logging/logger.js';
import type { Broker, BrokerConnections, BrokerRequest } from '../protocol/broker-connections.js';
import { BrokerRefusal, ERROR } from '../protocol/error-codes.js';
import { findCoordinator, heartbeat, type JoinAnswer, joinGroup, leaveGroup, type Member, syncGroup } from '../protocol/group-requests.js';
import { CoordinatorOutage } from './coordinator-outage.js';
import { COORDINATOR_ERRORS, isPassing } from './group-coordinator.js';
import { GroupLease } from './group-lease.js';
import type { GroupMembershipOptions, GroupProtocol, MembershipState } from './group-protocol.js';
import { OutOfContactError, outOfContact } from './out-of-contact.js';

/** What waiting does not cure. */
const FATAL: ReadonlySet<number> = new Set([
  ERROR.GROUP_AUTHORIZATION_FAILED,
  ERROR.TOPIC_AUTHORIZATION_FAILED,
  ERROR.INVALID_GROUP_ID,
  ERROR.INVALID_SESSION_TIMEOUT,
  ERROR.GROUP_MAX_SIZE_REACHED,
]);
const PAUSE = { minMs: 100, maxMs: 2_000 };
/** Leaving must not keep a stopping process: a coordinator that is gone ends the membership by itself. */
const LEAVE_MS = 3_000;
const NO_GENERATION = -1;
/** A group whose members speak another protocol is told so often. */
const FOREIGN_LOG_MS = 60_000;

export class GroupMembership {
  readonly #connections: BrokerConnections;
  readonly #beside: BrokerConnections;
  readonly #options: GroupMembershipOptions;
  readonly #protocol: GroupProtocol;
  readonly #logger: Logger;
  readonly #outage: CoordinatorOutage;
  /** Whether the group still keeps for this process what it gave. */
  readonly lease: GroupLease;
  #coordinator: number | undefined;
  #memberId = '';
  /** A request to join that is under way. */
  #joining: Promise<unknown> | undefined;
  #generation = NO_GENERATION;
  #isMember = false;
  #sinceMs = performance.now();
  #isLeader = false;
  #rebalances = 0;
  /** When the last request was sent that the coordinator answered as a member's. */
  #contactMs = 0;
  #rejoin = true;
  /** To join again. */
  readonly #asked = new Notifier();
  #foreignToldMs = Number.NEGATIVE_INFINITY;

  /** @param connections - a request to join holds its connection until all have joined: `beside` are others, for what cannot wait */
  constructor(
    connections: { readonly member: BrokerConnections; readonly beside: BrokerConnections },
    options: GroupMembershipOptions,
    protocol: GroupProtocol,
    logger: Logger,
  ) {
    this.#connections = connections.member;
    this.#beside = connections.beside;
    this.#options = options;
    this.#protocol = protocol;
    this.#logger = logger;
    this.#outage = new CoordinatorOutage(options.groupId, logger);
    this.lease = new GroupLease(options.sessionTimeoutMs);
  }

  get state(): MembershipState {
    return { isMember: this.#isMember, sinceMs: this.#sinceMs, isLeader: this.#isLeader, rebalances: this.#rebalances };
  }

  /** As whom the coordinator knows this process; undefined while it is in no generation, or while the coordinator is not known. */
  get member(): Member | undefined {
    return this.#generation === NO_GENERATION || this.#coordinator === undefined ? undefined : this.#own;
  }

  /** All members are asked to join again. */
  rejoin(): void {
    this.#rejoin = true;
    this.#asked.notify();
  }

  /** Runs until the signal aborts; the caller gives everything back before it {@link leave}s. Rejects when the group refuses this process for good. */
  async run(signal: AbortSignal): Promise<void> {
    const backoff = new Backoff(PAUSE);
    while (!signal.aborted) {
      try {
        const coordinator = await abortable(this.#broker(this.#connections), signal);
        if (this.#rejoin) await this.#join(coordinator, signal);
        else await this.#beat(coordinator, signal);
        backoff.reset();
        this.#outage.over();
        if (!this.#rejoin) await this.#interval(signal);
      } catch (error) {
        if (signal.aborted) return;
        await this.#failed(error);
        await backoff.pause(signal);
      }
    }
  }

  /** Asks the coordinator while a request to join may be waited for. */
  async ask<T>(request: BrokerRequest<T>): Promise<T> {
    try {
      return await (await this.#broker(this.#beside)).send(request);
    } catch (error) {
      if (error instanceof BrokerRefusal && COORDINATOR_ERRORS.has(error.code)) this.#coordinator = undefined;
      throw error;
    }
  }

  /** Leaves the group, if it can be told, also when it was about to join; never rejects. */
  async leave(): Promise<void> {
    const late = AbortSignal.timeout(LEAVE_MS);
    this.#generation = NO_GENERATION;
    // A first request is answered at once, with the id under which the coordinator waits for the second.
    if (this.#memberId === '') await abortable(this.#joining ?? Promise.resolve(), late).catch(() => undefined);
    while (this.#memberId !== '' && !late.aborted) {
      try {
        await abortable(this.ask(leaveGroup(this.#options.groupId, this.#memberId)), late);
        this.#memberId = '';
      } catch (error) {
        // Who is not known has left.
        if (!isPassing(error)) return;
        this.#coordinator = undefined;
        await sleep(PAUSE.minMs, late);
      }
    }
  }

  get #own(): Member {
    return { groupId: this.#options.groupId, generation: this.#generation, memberId: this.#memberId };
  }

  async #broker(connections: BrokerConnections): Promise<Broker> {
    if (this.#coordinator === undefined) {
      const address = await (await connections.any()).send(findCoordinator(this.#options.groupId));
      for (const each of [this.#connections, this.#beside]) each.know(address);
      this.#coordinator = address.nodeId;
    }
    return connections.node(this.#coordinator);
  }

  async #join(coordinator: Broker, signal: AbortSignal): Promise<void> {
    const { groupId, sessionTimeoutMs, rebalanceTimeoutMs } = this.#options;
    const { name: protocol } = this.#protocol;
    const preparing = abortable(this.#protocol.prepare?.() ?? Promise.resolve(), signal);
    await (this.#generation === NO_GENERATION ? preparing : this.#whileAlive(preparing, this.#own, coordinator, signal));
    this.#rejoin = false;
    const metadata = this.#protocol.metadata(this.#generation);
    const parameters = { groupId, sessionTimeoutMs, rebalanceTimeoutMs, memberId: this.#memberId, protocol, metadata };
    let rejoin = true;
    try {
      const joining = coordinator.send(joinGroup(parameters)).then((answer) => this.#identified(answer));
      this.#joining = joining;
      const answer = await this.#answerTo(joining, coordinator, signal);
      if (answer.error === ERROR.MEMBER_ID_REQUIRED) return;
      if (answer.error !== ERROR.NONE) throw new BrokerRefusal(answer.error, 'JoinGroup');
      this.#contactMs = performance.now();
      const { generation, memberId } = answer;
      const own = { groupId, generation, memberId };
      this.#isLeader = answer.leaderId === memberId;
      const sharing = this.#isLeader ? abortable(this.#protocol.share(answer.members, memberId), signal) : undefined;
      const shares = sharing === undefined ? [] : await this.#whileAlive(sharing, own, coordinator, signal);
      const sentMs = performance.now();
      const syncing = coordinator.send(syncGroup(own, shares, rebalanceTimeoutMs));
      const given = await this.#answerTo(syncing, coordinator, signal);
      this.#generation = generation;
      this.#contactMs = performance.now();
      this.lease.renew(sentMs);
      this.#rebalances += 1;
      this.#logger.debug({ generation, isLeader: this.#isLeader }, 'Joined the group');
      rejoin = await this.#whileAlive(this.#protocol.given(given, sentMs), this.#own, coordinator, signal);
      this.#becomeMember(true);
    } finally {
      // Whatever went wrong, and an id that was only given: once more.
      this.#rejoin ||= rejoin;
    }
  }

  /** Also when the answer is not waited for any more: a member that leaves has to name itself. */
  #identified(answer: JoinAnswer): JoinAnswer {
    if (answer.error === ERROR.NONE || answer.error === ERROR.MEMBER_ID_REQUIRED) this.#memberId = answer.memberId;
    return answer;
  }

  /** An answer that may take long, that to a join as long as other members do: meanwhile the coordinator is asked beside it whether it is there. */
  async #answerTo<T>(request: Promise<T>, coordinator: Broker, signal: AbortSignal): Promise<T> {
    const done = new AbortController();
    const sent = request.finally(() => done.abort());
    const contact = {
      lastMs: this.#generation === NO_GENERATION ? performance.now() : this.#contactMs,
      limitMs: this.#options.sessionTimeoutMs,
      probe: async () => {
        const sentMs = performance.now();
        const beside = await this.#beside.node(this.#coordinator as number);
        await this.#renewing(beside.send(heartbeat(this.#own)), sentMs).catch((error) => {
          if (!(error instanceof BrokerRefusal) || COORDINATOR_ERRORS.has(error.code)) throw error;
        });
        this.#contactMs = sentMs;
      },
    };
    try {
      return await abortable(Promise.race([sent, outOfContact(contact, done.signal)]), signal);
    } catch (error) {
      if (error instanceof OutOfContactError) {
        this.#connections.drop(coordinator);
        for (const connections of [this.#connections, this.#beside]) connections.dropIdle();
      }
      throw error;
    } finally {
      done.abort();
    }
  }

  /** Looking topics up, sharing out, taking and giving back may last; the group is told meanwhile that this process lives, and tells when it has given up on it. */
  async #whileAlive<T>(work: Promise<T>, own: Member, coordinator: Broker, signal: AbortSignal): Promise<T> {
    work.catch(() => undefined);
    const done = new AbortController();
    void work.finally(() => done.abort()).catch(() => undefined);
    while (!done.signal.aborted && !signal.aborted) {
      await sleep(this.#options.heartbeatMs, done.signal);
      if (done.signal.aborted || signal.aborted) break;
      try {
        await this.#sayAlive(own, coordinator, signal);
      } catch (error) {
        // What is under way goes on, and counts no more once the membership is lost.
        if (!(error instanceof BrokerRefusal && error.code === ERROR.REBALANCE_IN_PROGRESS)) throw error;
        this.#contactMs = performance.now();
        this.#rejoin = true;
      }
    }
    return work;
  }

  async #beat(coordinator: Broker, signal: AbortSignal): Promise<void> {
    const sentMs = await this.#sayAlive(this.#own, coordinator, signal);
    this.#protocol.confirmed?.(sentMs);
  }

  /** Waits for the answer no longer than the group keeps what it gave. */
  async #sayAlive(own: Member, coordinator: Broker, signal: AbortSignal): Promise<number> {
    const sentMs = performance.now();
    await this.#renewing(this.#answerTo(coordinator.send(heartbeat(own)), coordinator, signal), sentMs);
    this.#contactMs = sentMs;
    return sentMs;
  }

  /** A group that is about to be shared out anew still keeps for its members what they have. */
  async #renewing(beating: Promise<void>, sentMs: number): Promise<void> {
    try {
      await beating;
    } catch (error) {
      if (error instanceof BrokerRefusal && error.code === ERROR.REBALANCE_IN_PROGRESS) this.lease.renew(sentMs);
      throw error;
    }
    this.lease.renew(sentMs);
  }

  async #interval(signal: AbortSignal): Promise<void> {
    if (!this.#rejoin) await this.#asked.next(signal, this.#options.heartbeatMs);
  }

  /** @throws the error when waiting does not cure it */
  async #failed(error: unknown): Promise<void> {
    if (error instanceof BrokerRefusal) {
      if (FATAL.has(error.code)) throw error;
      this.#logger.debug({ err: error }, 'The coordinator of the group refuses');
      if (error.code === ERROR.REBALANCE_IN_PROGRESS) {
        this.#contactMs = performance.now();
        this.#rejoin = true;
      } else if (COORDINATOR_ERRORS.has(error.code)) {
        this.#coordinator = undefined;
        this.#outage.refused(error.message);
      } else {
        if (error.code === ERROR.INCONSISTENT_GROUP_PROTOCOL) this.#tellForeign();
        await this.#lose(error.code === ERROR.UNKNOWN_MEMBER_ID);
      }
    } else {
      if (!isPassing(error)) throw error;
      this.#logger.debug({ err: error }, 'The coordinator of the group does not answer');
      this.#coordinator = undefined;
    }
    // By now the coordinator has given up on this process, and given to others what it had.
    if (this.#generation !== NO_GENERATION && performance.now() - this.#contactMs > this.#options.sessionTimeoutMs) await this.#lose(false);
  }

  async #lose(forgotten: boolean): Promise<void> {
    if (forgotten) this.#memberId = '';
    this.#rejoin = true;
    this.#generation = NO_GENERATION;
    this.#isLeader = false;
    this.lease.end();
    this.#becomeMember(false);
    await this.#protocol.lost();
  }

  #becomeMember(isMember: boolean): void {
    if (this.#isMember === isMember) return;
    this.#isMember = isMember;
    this.#sinceMs = performance.now();
  }

  #tellForeign(): void {
    if (performance.now() - this.#foreignToldMs < FOREIGN_LOG_MS) return;
    this.#foreignToldMs = performance.now();
    this.#logger.warn(
      `The group ${this.#options.groupId} has members of another program or release: waiting until they have left. Stop them to go on`,
    );
  }
}
