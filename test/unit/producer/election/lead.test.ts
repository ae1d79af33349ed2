import { createLogger, TailwaterError } from '@tailwater/runtime';
import { describe, expect, it } from 'vitest';
import type { Election } from '#producer/election/election.js';
import { lead, type RunSession } from '#producer/election/lead.js';
import { ProducerState } from '#producer/session/producer-state.js';

const logger = createLogger({ name: 'test', level: 'silent' as never, format: 'json', destination: { write: () => {} } });

/** An election whose answers a test gives: each call of `elected` takes the next. */
class ScriptedElection implements Election {
  readonly events: string[] = [];
  readonly #answers: ((onStandby: () => void) => AbortSignal)[];

  constructor(...answers: ((onStandby: () => void) => AbortSignal)[]) {
    this.#answers = answers;
  }

  async run(signal: AbortSignal): Promise<void> {
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    this.events.push('left');
  }

  async elected(_signal: AbortSignal, onStandby: () => void): Promise<AbortSignal> {
    const answer = this.#answers.shift();
    if (answer === undefined) throw new Error('The script is over');
    return answer(onStandby);
  }

  fenced(): void {
    this.events.push('fenced');
  }
}

const held = (): AbortSignal => new AbortController().signal;

async function run(election: ScriptedElection, session: RunSession): Promise<{ state: ProducerState; error: unknown }> {
  const state = new ProducerState();
  const deps = {
    election,
    state,
    logger,
    isRetriable: (error: unknown) => error instanceof TailwaterError && error.retriable,
    tell: () => false,
  };
  const error: unknown = await lead(deps, session, new AbortController().signal).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return { state, error };
}

describe('lead', () => {
  it('leaves the group only when the session has ended', async () => {
    const election = new ScriptedElection(held);
    const { error } = await run(election, async () => void election.events.push('session'));
    expect(error).toBeUndefined();
    expect(election.events).toEqual(['session', 'left']);
  });

  it('stands by after it was fenced, gives up its claim, and works again when it is elected', async () => {
    const election = new ScriptedElection(held, (onStandby) => {
      onStandby();
      election.events.push('standby');
      return held();
    });
    let sessions = 0;
    const { error } = await run(election, async () => {
      sessions += 1;
      if (sessions === 1) throw new TailwaterError('TW1205', { brokers: 'b:1' });
    });
    expect(error).toBeUndefined();
    expect(election.events).toEqual(['fenced', 'standby', 'left']);
    expect(sessions).toBe(2);
  });

  it('ends its session when the lead is lost, and waits for the next', async () => {
    const lost = new AbortController();
    const election = new ScriptedElection(() => lost.signal, held);
    let sessions = 0;
    await run(election, async (signal) => {
      sessions += 1;
      if (sessions === 1) lost.abort();
      expect(signal.aborted).toBe(sessions === 1);
    });
    expect(sessions).toBe(2);
  });

  it('ends with what no retry cures', async () => {
    const { error } = await run(new ScriptedElection(held), async () => {
      throw new TailwaterError('TW1202', { brokers: 'b:1' });
    });
    expect(error).toMatchObject({ code: 'TW1202' });
  });
});
