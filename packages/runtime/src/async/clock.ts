// Time as it is injected, so that tests decide what o'clock it is.

export interface Clock {
  /** Wall time in milliseconds since 1970, for what people and other machines read. */
  now(): number;
  /** Milliseconds from an arbitrary start that never jump, for durations. */
  monotonic(): number;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
};
