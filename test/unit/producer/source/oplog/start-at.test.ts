import { Position } from '@tailwater/schema';
import { describe, expect, it } from 'vitest';
import { OplogFile } from '#producer/source/oplog/oplog-file.js';
import { parseStartAt } from '#producer/source/oplog/start-at.js';

describe('parseStartAt', () => {
  it.each<[string, unknown]>([
    ['now', 'now'],
    ['earliest', 'earliest'],
    ['1769846400:3', new Position(1_769_846_400, 3)],
    ['2026-01-31', new Position(1_769_817_600, 0)],
    ['file:/var/oplog.timestamp', new OplogFile('/var/oplog.timestamp')],
    ['2026-01-31T08:00:00Z', new Position(1_769_846_400, 0)],
    ['2026-01-31T08:00:00.999Z', new Position(1_769_846_400, 0)],
    ['2026-01-31T09:00+01:00', new Position(1_769_846_400, 0)],
  ])('reads %s', (text, expected) => expect(parseStartAt(text)).toEqual(expected));

  // Without a time zone a date would mean another moment on another machine.
  it.each(['', 'yesterday', '2026-01-31T08:00:00', '2026-13-01', '1769846400', '1:1:1', '1969-01-01', 'file:'])('refuses %s', (text) => {
    expect(() => parseStartAt(text)).toThrow(expect.objectContaining({ code: 'TW1143' }));
  });
});
