import { describe, expect, it } from 'vitest';
import { ChangeBatch } from '#producer/changes/change-batch.js';
import { TouchedKeys } from '#producer/writer/touched-keys.js';
import { addRow, ITEMS, ORDERS, type RowOptions } from '../support/rows.js';

function batchOf(...rows: RowOptions[]): ChangeBatch {
  const batch = new ChangeBatch();
  for (const row of rows) addRow(batch, row);
  return batch;
}

describe('TouchedKeys', () => {
  it('holds the keys of its namespace since it was opened', () => {
    const keys = new TouchedKeys();
    keys.touch(batchOf({ id: 'before' }));
    const window = keys.open(ORDERS);
    keys.touch(batchOf({ id: 'a' }, { id: 'b', op: 'delete' }, { id: 'c', namespace: ITEMS }));
    keys.touch(batchOf({ id: 'd', op: 'update' }, { id: 'a' }));
    expect([...window.touched].sort()).toEqual(['"a"', '"b"', '"d"']);
  });

  it('keeps overlapping windows of one namespace apart', () => {
    const keys = new TouchedKeys();
    const first = keys.open(ORDERS);
    keys.touch(batchOf({ id: 1 }));
    const second = keys.open(ORDERS);
    const others = keys.open(ITEMS);
    keys.touch(batchOf({ id: 2 }));
    keys.close(first);
    keys.touch(batchOf({ id: 3 }, { id: 4, namespace: ITEMS }));
    keys.close(second);
    keys.touch(batchOf({ id: 5 }));
    expect([...first.touched]).toEqual(['1', '2']);
    expect([...second.touched]).toEqual(['2', '3']);
    expect([...others.touched]).toEqual(['4']);
  });

  it('looks at the rows of the batch, not at those of an earlier, longer one', () => {
    const keys = new TouchedKeys();
    const batch = batchOf({ id: 1 }, { id: 2 });
    batch.clear();
    addRow(batch, { id: 3 });
    const window = keys.open(ORDERS);
    keys.touch(batch);
    expect([...window.touched]).toEqual(['3']);
  });

  it('knows how far the tail had come when a window was opened', () => {
    const keys = new TouchedKeys();
    expect(keys.open(ORDERS).after.toString()).toBe('0:0');
    keys.touch(batchOf({ id: 1, t: 5, i: 1 }, { id: 2, t: 5, i: 2, ordinal: 3 }));
    const window = keys.open(ITEMS);
    keys.touch(new ChangeBatch());
    expect(window.after.toString()).toBe('5:2');
    expect(keys.open(ORDERS).after.toString()).toBe('5:2');
  });

  it('voids the open windows of a namespace, not those before and behind', () => {
    const keys = new TouchedKeys();
    const [closed, open, other] = [keys.open(ORDERS), keys.open(ORDERS), keys.open(ITEMS)];
    keys.close(closed);
    keys.invalidate(ORDERS);
    const later = keys.open(ORDERS);
    expect([closed, open, other, later].map(({ isVoid }) => isVoid)).toEqual([false, true, false, false]);
  });

  it('closes a window that is closed already', () => {
    const keys = new TouchedKeys();
    const window = keys.open(ORDERS);
    keys.close(window);
    expect(() => keys.close(window)).not.toThrow();
  });
});
