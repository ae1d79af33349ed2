// Promise D: positions as text, in order, and as versions.
import { Position } from '@tailwater/schema';
import { describe, expect, it } from 'vitest';

const UINT32_MAX = 4_294_967_295;

describe('the text of a position', () => {
  it('leaves out the ordinal of a single operation', () => {
    expect(new Position(1_710_276_607, 4).toString()).toBe('1710276607:4');
    expect(new Position(1_710_276_607, 4, 17).toString()).toBe('1710276607:4:17');
  });

  it('is read again', () => {
    expect(Position.parse('1710276607:4')).toEqual(new Position(1_710_276_607, 4));
    expect(Position.parse('1710276607:4:17')).toEqual(new Position(1_710_276_607, 4, 17));
    expect(Position.parse(`${UINT32_MAX}:${UINT32_MAX}:${UINT32_MAX}`)).toEqual(new Position(UINT32_MAX, UINT32_MAX, UINT32_MAX));
  });

  it.each([
    '',
    '1',
    '1:',
    ':1',
    '1:2:',
    '1:2:3:4',
    '-1:2',
    '1.5:2',
    ' 1:2',
    '1:2 ',
    '1:2\n',
    '0x1:2',
    '4294967296:0',
    '0:4294967296',
    '1:2:4294967296',
  ])('is not %j', (text) => {
    expect(Position.parse(text)).toBeUndefined();
  });
});

describe('the order of positions', () => {
  const inOrder = [
    new Position(0, 0),
    new Position(0, 1),
    new Position(0, 1, 1),
    new Position(0, 2),
    new Position(9, UINT32_MAX, UINT32_MAX),
    new Position(10, 0),
    new Position(0x7fff_ffff, 0),
    new Position(0x8000_0000, 0),
    new Position(UINT32_MAX, UINT32_MAX, UINT32_MAX),
  ];

  it('is by seconds, then increment, then ordinal', () => {
    expect([...inOrder].reverse().sort((a, b) => a.compare(b))).toEqual(inOrder);
    for (const position of inOrder) expect(position.compare(position)).toBe(0);
  });

  it('is the order of their sortable texts, all of one width', () => {
    const texts = inOrder.map((position) => position.toSortable());
    expect([...texts].reverse().sort()).toEqual(texts);
    expect(new Set(texts.map((text) => text.length))).toEqual(new Set([24]));
  });
});

describe('the version', () => {
  it('is exact beyond 2^53', () => {
    // 2^53 + 1 is the first integer that a JavaScript number cannot hold.
    expect(new Position(2 ** 21, 1).version).toBe(2n ** 53n + 1n);
    expect(new Position(1_710_276_607, 4).version).toBe(7_345_582_094_178_844_676n);
    expect(new Position(UINT32_MAX, UINT32_MAX).version).toBe(2n ** 64n - 1n);
  });

  it('fits a signed 64-bit integer until 2038, and beyond it in time order', () => {
    expect(new Position(0x7fff_ffff, UINT32_MAX).version).toBe(2n ** 63n - 1n);
  });

  it('is one for all operations of a transaction', () => {
    expect(new Position(5, 6, 7).version).toBe(new Position(5, 6).version);
  });
});
