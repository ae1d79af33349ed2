import { compileNamespaceRules } from '@tailwater/runtime';
import { describe, expect, it } from 'vitest';
import { NamespaceTable } from '#producer/changes/namespace-table.js';

const table = () => new NamespaceTable(compileNamespaceRules({ include: ['shop.*'] }));
const at = (namespaces: NamespaceTable, text: string) => {
  const source = Buffer.from(`xx${text}yy`);
  return namespaces.atBytes(source, 2, source.length - 2);
};

describe('NamespaceTable', () => {
  it('splits at the first dot and knows what is included', () => {
    expect(at(table(), 'shop.orders.2024')).toEqual({
      name: 'shop.orders.2024',
      database: 'shop',
      collection: 'orders.2024',
      included: true,
    });
    expect(at(table(), 'stock.items').included).toBe(false);
  });

  it('forgets names that nobody asked for, of which there is no end, and none of the others', () => {
    const namespaces = table();
    const orders = at(namespaces, 'shop.orders');
    const first = at(namespaces, 'stock.tmp.agg_out.0');
    expect(namespaces.byName('stock.tmp.agg_out.0')).toBe(first);
    for (let n = 1; n <= 10_000; n++) at(namespaces, `stock.tmp.agg_out.${n}`);
    expect(namespaces.byName('stock.tmp.agg_out.0')).not.toBe(first);
    expect(namespaces.byName('stock.tmp.agg_out.0')).toEqual(first);
    expect(namespaces.byName('shop.orders')).toBe(orders);
  });

  it('gives one object per namespace, by bytes or by name', () => {
    const namespaces = table();
    const orders = at(namespaces, 'shop.orders');
    expect(at(namespaces, 'shop.orders')).toBe(orders);
    const items = at(namespaces, 'shop.others');
    expect(items).not.toBe(orders);
    expect(at(namespaces, 'shop.orders')).toBe(orders);
    expect(namespaces.byName('shop.orders')).toBe(orders);
    expect(namespaces.byName('shop.others')).toBe(items);
  });

  it('tells names apart that begin alike, or are of one length', () => {
    const namespaces = table();
    const names = ['shop.a', 'shop.ab', 'shop.a', 'shop.b', 'shop.é', 'shop.e', 'shop.ab'];
    expect(names.map((name) => at(namespaces, name).name)).toEqual(names);
  });

  it('does not keep the bytes of an entry alive, nor change when they do', () => {
    const namespaces = table();
    const source = Buffer.from('shop.orders');
    const orders = namespaces.atBytes(source, 0, source.length);
    source.write('shop.others');
    expect(namespaces.atBytes(source, 0, source.length).name).toBe('shop.others');
    expect(orders.name).toBe('shop.orders');
  });

  it.each(['', 'shop', '.orders', 'shop.'])('includes nothing that is no namespace: %j', (name) => {
    expect(at(table(), name)).toMatchObject({ name, included: false });
  });
});
