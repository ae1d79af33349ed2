// Made-up fragments: the server that the tests run does not split events.
import { BSON, Timestamp } from 'bson';
import { describe, expect, it } from 'vitest';
import { SplitEvents } from '#producer/source/change-stream/split-events.js';
import { raw } from '#test/unit/producer/support/entries.js';

const event = (n: number): Buffer => raw({ _id: { _data: `0${n}` }, operationType: 'insert', fullDocument: { n } });
const clusterTime = new Timestamp({ t: 1, i: 1 });
const first = raw({ _id: { _data: 'f1' }, splitEvent: { fragment: 1, of: 3 }, operationType: 'update', clusterTime });
const second = raw({ _id: { _data: 'f2' }, splitEvent: { fragment: 2, of: 3 }, fullDocument: { _id: 1, a: 'x' } });
const third = raw({ _id: { _data: 'f3' }, splitEvent: { fragment: 3, of: 3 }, updateDescription: { updatedFields: { a: 'x' } } });
const whole = {
  operationType: 'update',
  clusterTime,
  fullDocument: { _id: 1, a: 'x' },
  _id: { _data: 'f3' },
  updateDescription: { updatedFields: { a: 'x' } },
};

describe('SplitEvents', () => {
  it('passes whole events through', () => {
    const events = [event(1), event(2)];
    const split = new SplitEvents();
    expect(split.join(events)).toBe(events);
    expect(split.isInside).toBe(false);
  });

  it('puts fragments together among others, with the token of the last one', () => {
    const joined = new SplitEvents().join([event(1), first, second, third, event(2)]);
    expect(joined.map((bytes) => BSON.deserialize(bytes))).toEqual([BSON.deserialize(event(1)), whole, BSON.deserialize(event(2))]);
  });

  it('keeps fragments until the rest has come', () => {
    const split = new SplitEvents();
    expect(split.join([event(1), first]).length).toBe(1);
    expect(split.isInside).toBe(true);
    expect(split.join([second])).toEqual([]);
    const joined = split.join([third, event(2)]);
    expect(joined.map((bytes) => BSON.deserialize(bytes))).toEqual([whole, BSON.deserialize(event(2))]);
    expect(split.isInside).toBe(false);
  });

  it('refuses fragments of which one is missing', () => {
    expect(() => new SplitEvents().join([first, third])).toThrow('Fragment 3 of 3');
  });
});
