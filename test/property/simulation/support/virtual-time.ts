// The scheduler: everything that happens is an event at a moment of a clock that jumps from one to the next. Timers of the code under test are events, too.
//
// Maintained invariant: whatever a process does it does in an event of its own, so that a process can be frozen, and goes on where it was, or be killed, and does
// nothing any more.

export interface Process {
  readonly name: string;
  /** Its own code only, which is done with an event when its event is over. */
  readonly isModel?: boolean;
  isDead: boolean;
  isFrozen: boolean;
}

interface Event {
  atMs: number;
  readonly order: number;
  readonly owner: Process | undefined;
  readonly act: () => void;
  isCancelled: boolean;
}

/** What `setTimeout` gives. */
class Timer {
  readonly event: Event;

  constructor(event: Event) {
    this.event = event;
  }

  ref = (): this => this;
  unref = (): this => this;
  hasRef = (): boolean => true;
}

const EPOCH_MS = 1_800_000_000_000;
/** Of the monotonic clock when a schedule begins. */
const BEGINNING_MS = 100_000;
/** Between two events that come in a row. */
const MOMENT_MS = 1e-6;
const TRACED = 0;
const turn = setImmediate;

export class VirtualTime {
  nowMs = 0;
  /** Events so far. */
  events = 0;
  readonly #heap: Event[] = [];
  readonly #held: Event[] = [];
  #order = 0;
  #running: Process | undefined;
  #restore: (() => void) | undefined;

  /** @param afterMs from now on, in the course of the process: not while it is frozen, never when it is dead */
  after(afterMs: number, owner: Process | undefined, act: () => void): { cancel(): void } {
    const event = this.#add(afterMs, owner, act);
    return {
      cancel: () => {
        event.isCancelled = true;
      },
    };
  }

  /** Does something in the course of a process, now. */
  within(process: Process, act: () => void): void {
    const before = this.#running;
    this.#running = process;
    act();
    this.#running = before;
  }

  /** What the process did not do meanwhile comes now, in the order in which it would have come. */
  thaw(process: Process): void {
    process.isFrozen = false;
    const late = this.#held.filter(({ owner }) => owner === process);
    for (const [index, event] of late.entries()) {
      event.atMs = this.nowMs + index * MOMENT_MS;
      this.#push(event);
    }
    const others = this.#held.filter(({ owner }) => owner !== process);
    this.#held.splice(0, this.#held.length, ...others);
  }

  /** @returns whether that is so within the time */
  async run(isOver: () => boolean, limitMs: number): Promise<boolean> {
    const untilMs = this.nowMs + limitMs;
    await this.#settled();
    while (!isOver()) {
      const event = this.#heap[0];
      if (event === undefined || event.atMs > untilMs) {
        this.nowMs = Math.max(this.nowMs, untilMs);
        return isOver();
      }
      this.#pop();
      if (event.isCancelled || event.owner?.isDead === true) continue;
      if (event.owner?.isFrozen === true) {
        this.#held.push(event);
        continue;
      }
      this.nowMs = Math.max(this.nowMs, event.atMs);
      this.events += 1;
      this.#running = event.owner;
      event.act();
      if (event.owner?.isModel !== true) await this.#settled();
    }
    return true;
  }

  /** From now on all clocks and timers are these. */
  install(random: () => number): void {
    const before = {
      setTimeout,
      clearTimeout,
      random: Math.random,
      traced: Error.stackTraceLimit,
      now: Date.now,
      timeout: AbortSignal.timeout,
    };
    globalThis.setTimeout = ((act: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) =>
      new Timer(this.#add(Math.max(1, Number(ms)), this.#running, () => act(...args)))) as unknown as typeof setTimeout;
    globalThis.clearTimeout = ((timer: unknown) => {
      if (timer instanceof Timer) timer.event.isCancelled = true;
      else before.clearTimeout(timer as NodeJS.Timeout);
    }) as typeof clearTimeout;
    Math.random = random;
    // Thousands of errors are made, and nobody reads where.
    Error.stackTraceLimit = TRACED;
    Date.now = () => Math.floor(EPOCH_MS + this.nowMs);
    performance.now = () => BEGINNING_MS + this.nowMs;
    AbortSignal.timeout = (ms: number) => {
      const controller = new AbortController();
      this.#add(ms, this.#running, () => controller.abort(new DOMException('too late', 'TimeoutError')));
      return controller.signal;
    };
    this.#restore = () => {
      globalThis.setTimeout = before.setTimeout;
      globalThis.clearTimeout = before.clearTimeout;
      Math.random = before.random;
      Error.stackTraceLimit = before.traced;
      Date.now = before.now;
      AbortSignal.timeout = before.timeout;
      // The prototype's own is there again.
      Reflect.deleteProperty(performance, 'now');
    };
  }

  uninstall(): void {
    this.#restore?.();
  }

  /** Until the code under test waits for an event. */
  #settled(): Promise<void> {
    return new Promise((resolve) => turn(resolve));
  }

  #add(afterMs: number, owner: Process | undefined, act: () => void): Event {
    const event = { atMs: this.nowMs + afterMs, order: this.#order++, owner, act, isCancelled: false };
    this.#push(event);
    return event;
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let at = heap.push(event) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(event, heap[parent] as Event)) break;
      heap[at] = heap[parent] as Event;
      at = parent;
    }
    heap[at] = event;
  }

  #pop(): Event | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Event, heap[child] as Event)) child += 1;
      if (!isBefore(heap[child] as Event, last)) break;
      heap[at] = heap[child] as Event;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

const isBefore = (a: Event, b: Event): boolean => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
