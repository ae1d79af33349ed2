import { describe, expect, it } from 'vitest';
import { applyChanges } from '#consumer/apply/apply-changes.js';
import { type ChangeResult, SUPERSEDED } from '#consumer/targets/target.js';
import { change, MemoryTarget } from '../support/changes.js';

const never = new AbortController().signal;
const rejected = (retriable: boolean): ChangeResult => ({ status: 'rejected', code: 'x', reason: 'y', retriable });

describe('applyChanges', () => {
  it('a refused change does not reach the target, and the others do', async () => {
    const target = new MemoryTarget();
    const refusal = { code: 'TW1306', reason: 'because' };
    const results = await applyChanges(target, [change(1, 1), change(2, 2, { refusal }), change(3, 3)], never);
    expect(results).toEqual([{ status: 'applied' }, { status: 'rejected', ...refusal, retriable: false }, { status: 'applied' }]);
    expect([...target.state.keys()]).toEqual(['1', '3']);
    expect(await applyChanges(target, [change(2, 2, { refusal })], never)).toHaveLength(1);
    expect(target.batches).toHaveLength(1);
  });

  it('a change of several documents ends as the worst of them', async () => {
    const verdicts = new Map([
      ['12', rejected(true)],
      ['22', rejected(true)],
      ['23', rejected(false)],
      ['32', SUPERSEDED],
    ]);
    const target = new MemoryTarget();
    target.judge = ({ key }) => verdicts.get(key);
    const withParts = (id: number) => change(id, 1, { parts: [change(id * 10 + 2, 1), change(id * 10 + 3, 1)] });
    expect(await applyChanges(target, [withParts(1), withParts(2), withParts(3), change(4, 1)], never)).toEqual([
      rejected(true),
      rejected(false),
      { status: 'applied' },
      { status: 'applied' },
    ]);
    expect([...target.state.keys()]).toEqual(['1', '13', '2', '3', '33', '4']);
  });
});
