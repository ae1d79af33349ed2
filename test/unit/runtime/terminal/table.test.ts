import { renderTable } from '@tailwater/runtime';
import { describe, expect, it } from 'vitest';

describe('renderTable', () => {
  it('aligns texts to the left and numbers to the right, two spaces apart', () => {
    expect(
      renderTable(
        ['topic', 'lag', 'size', 'member'],
        [
          ['tw.shop.orders', 1, '1.5 MB', ''],
          ['tw.a', '12,345', '-', 'c1'],
        ],
      ),
    ).toBe(['topic              lag    size  member', 'tw.shop.orders       1  1.5 MB', 'tw.a            12,345       -  c1'].join('\n'));
  });

  it('takes a table without rows', () => {
    expect(renderTable(['a', 'b'], [])).toBe('a  b');
  });

  it('lets no cell speak to the terminal', () => {
    expect(renderTable(['key'], [['a\u001b[31m\nb']])).toBe('key\na [31m b');
  });

  it('has colours only when told to', () => {
    expect(renderTable(['a'], [['x']], { color: true })).toContain('\u001b[1ma\u001b[22m');
    expect(renderTable(['a'], [['x']])).not.toContain('\u001b');
  });
});
