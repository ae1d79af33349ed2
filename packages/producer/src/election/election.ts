// Who of several producers of one source leads, as the outer loop sees it.
//
// Safety is not decided here: the transactional id fences earlier writers, and a session begins from the checkpoint
// that it reads behind its own announcement (promises A and B). The election only keeps producers from fencing each other
// in turn: it says who should try.

/**
 * Maintained invariant: losing contact is not losing the lead. The signal aborts only when the group has given the lead to
 * another, so that brokers that are away change no roles.
 */
export interface Election {
  /** Keeps the membership until the signal aborts, and leaves then, which hands over at once. */
  run(signal: AbortSignal): Promise<void>;
  /**
   * Resolves when the group says that this process leads, by an answer that it was asked for after this call: one that failed
   * may have been replaced meanwhile, and one that was frozen does not know yet. The signal it gives aborts when the lead is lost.
   *
   * @param onStandby - called once when another one leads
   * @throws the signal's reason
   */
  elected(signal: AbortSignal, onStandby: () => void): Promise<AbortSignal>;
  /** Another one writes: a claim to have led before is not made any more. */
  fenced(): void;
}
