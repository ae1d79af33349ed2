import { compileNamespaceRules, type NamespaceRulesOptions } from '@tailwater/runtime';
import { describe, expect, it } from 'vitest';

const includes = (options: NamespaceRulesOptions, name: string): boolean => {
  const dot = name.indexOf('.');
  return compileNamespaceRules(options).includes(name.slice(0, dot), name.slice(dot + 1));
};
const namespace = (name: string) => ({ database: name.slice(0, name.indexOf('.')), collection: name.slice(name.indexOf('.') + 1) });

describe('includes', () => {
  it.each<[NamespaceRulesOptions, string, boolean]>([
    // Without rules everything, but the server's own.
    [{}, 'shop.orders', true],
    [{ include: [] }, 'shop.orders', true],
    [{}, 'shop.system.views', false],
    [{}, 'shop.system', true],
    [{}, 'shop.tmp.agg_out.3f1c', false],
    [{}, 'shop.tmp.mr.orders_1', false],
    [{}, 'shop.tmpaB3xY.renameCollection', false],
    [{}, 'shop.tmpaB3xY.convertToCapped.orders', false],
    [{}, 'shop.tmp', true],
    [{}, 'shop.tmp.orders', true],
    [{}, 'shop.tmpaB3xY.renameCollections', true],
    [{}, 'admin.x', false],
    [{}, 'config.x', false],
    [{}, 'local.oplog.rs', false],
    [{}, 'shop.files.chunks', true],
    [{ include: ['local.x', 'config.*'] }, 'local.x', false],
    [{ include: ['local.x', 'config.*'] }, 'config.x', false],
    // admin, where it is asked for by its name.
    [{ include: ['shop.*', 'admin.x'] }, 'admin.x', true],
    [{ include: ['shop.*', 'admin.x'] }, 'admin.y', false],
    [{ include: ['admin.*'] }, 'admin.y', true],
    [{ include: ['admin.*'] }, 'admin.system.users', false],
    [{ include: ['admin.*'], exclude: ['admin.x'] }, 'admin.x', false],
    [{ include: ['*.x'] }, 'admin.x', false],
    [{ include: ['ad*.x'] }, 'admin.x', false],
    [{ include: ['shop.system.views'] }, 'shop.system.views', false],
    // Plain names.
    [{ include: ['shop.orders'] }, 'shop.orders', true],
    [{ include: ['shop.orders'] }, 'shop.orders2', false],
    [{ include: ['shop.orders'] }, 'Shop.orders', false],
    [{ include: ['shop.a.b'] }, 'shop.a.b', true],
    [{ include: ['shop.a.b'] }, 'shop.aXb', false],
    // A collection * matches dots and the empty text.
    [{ include: ['shop.*'] }, 'shop.orders', true],
    [{ include: ['shop.*'] }, 'shop.a.b.c', true],
    [{ include: ['shop.*'] }, 'shop2.orders', false],
    [{ include: ['shop.orders*'] }, 'shop.orders', true],
    [{ include: ['shop.*_log'] }, 'shop.x.y_log', true],
    [{ include: ['shop.*_log'] }, 'shop.x.y_logs', false],
    [{ include: ['shop.ab*ba'] }, 'shop.aba', false],
    // A database * matches no dot.
    [{ include: ['*.orders'] }, 'shop.orders', true],
    [{ include: ['*.orders'] }, 'shop.eu.orders', false],
    [{ include: ['shop_*.orders'] }, 'shop_.orders', true],
    [{ include: ['shop_*.orders'] }, 'shop.orders', false],
    // Characters that mean something to regular expressions mean nothing here.
    [{ include: ['s+p.o[r](d)$^|\\'] }, 's+p.o[r](d)$^|\\', true],
    [{ include: ['s?op.*'] }, 'shop.x', false],
    // Exclude beats include, with any number of stars.
    [{ exclude: ['shop.orders'] }, 'shop.orders', false],
    [{ exclude: ['shop.orders'] }, 'shop.items', true],
    [{ include: ['shop.orders'], exclude: ['shop.*'] }, 'shop.orders', false],
    [{ include: ['shop.*'], exclude: ['*.tmp*'] }, 'shop.tmp.1', false],
    [{ include: ['shop.*'], exclude: ['*.tmp*'] }, 'shop.orders', true],
    [{ exclude: ['*.*'] }, 'shop.orders', false],
    [{ exclude: ['s*p.a*b*c'] }, 'shop.a1b2c', false],
    [{ exclude: ['s*p.a*b*c'] }, 'shop.abc', false],
    [{ exclude: ['s*p.a*b*c'] }, 'shop.acb', true],
    [{ exclude: ['x.a**b'] }, 'x.ab', false],
    // A rename includes nothing by itself and excludes nothing.
    [{ rename: { 'shop.orders': 'x.y' } }, 'shop.items', true],
  ])('%j: %s is %s', (options, name, expected) => {
    expect(includes(options, name)).toBe(expected);
  });

  it('matches in linear time, whatever the number of stars', () => {
    const pattern = `db.${'a*'.repeat(100)}b`;
    const start = performance.now();
    expect(includes({ exclude: [pattern] }, `db.${'a'.repeat(5000)}`)).toBe(true);
    expect(performance.now() - start).toBeLessThan(5_000);
  });
});

describe('rename', () => {
  it.each<[Record<string, string>, string, string]>([
    [{}, 'shop.orders', 'shop.orders'],
    [{ 'shop.orders': 'search.o' }, 'shop.orders', 'search.o'],
    [{ 'shop.orders': 'search.o' }, 'shop.items', 'shop.items'],
    [{ 'shop.a.b': 'x.c.d' }, 'shop.a.b', 'x.c.d'],
    [{ 'shop.*': 'search.*' }, 'shop.a.b', 'search.a.b'],
    [{ 'shop.*': 'search.old_*_v1' }, 'shop.orders', 'search.old_orders_v1'],
    [{ 'shop.a*': 'search.b*' }, 'shop.a', 'search.b'],
    [{ '*.orders': 'all_*.o' }, 'shop.orders', 'all_shop.o'],
    // The text a star stood for is taken as it is.
    [{ 'shop.*': 'search.*' }, 'shop.$&*', 'search.$&*'],
    // A plain name beats a wildcard, even one that keeps its name; wildcards count in order of declaration.
    [{ 'shop.*': 'w.*', 'shop.orders': 'p.o' }, 'shop.orders', 'p.o'],
    [{ 'shop.*': 'w.*', 'shop.orders': 'shop.orders' }, 'shop.orders', 'shop.orders'],
    [{ 'shop.o*': 'first.*', 'shop.*': 'second.*' }, 'shop.orders', 'first.rders'],
    [{ 'shop.*': 'second.*', 'shop.o*': 'first.*' }, 'shop.orders', 'second.orders'],
  ])('%j: %s becomes %s', (rename, source, target) => {
    expect(compileNamespaceRules({ rename }).rename(namespace(source))).toEqual(namespace(target));
  });

  it('gives the same name each time it is asked', () => {
    const rules = compileNamespaceRules({ rename: { 'shop.*': 'x.*' } });
    expect(rules.rename(namespace('shop.a'))).toEqual(rules.rename(namespace('shop.a')));
  });
});

describe('refused at the start', () => {
  it.each<[NamespaceRulesOptions, string]>([
    [{ include: ['orders'] }, 'The namespace pattern "orders" in include is not usable: there is no dot between database and collection'],
    [{ include: ['.orders'] }, 'there is no database before the dot'],
    [{ include: ['shop.'] }, 'there is no collection behind the dot'],
    [{ include: [''] }, 'there is no dot'],
    [{ exclude: ['*'] }, 'The namespace pattern "*" in exclude'],
    [{ include: ['a*.b*'] }, 'an include takes one * at most'],
    [{ rename: { 'a*.b*': 'c*.d*' } }, 'a rename takes one * at most'],
    [{ rename: { 'shop.*': 'search.all' } }, 'the * must stand in the same part on both sides'],
    [{ rename: { 'shop.a': 'search.*' } }, 'the * must stand in the same part on both sides'],
    [{ rename: { 'shop.*': 's*.all' } }, 'the * must stand in the same part on both sides'],
    [{ rename: { 'shop.*': 'search' } }, 'The namespace pattern "search" in rename'],
    [{ rename: { 'a.*': 'b.*_*' } }, 'the * must stand in the same part on both sides'],
  ])('%j', (options, reason) => {
    expect(() => compileNamespaceRules(options)).toThrow(
      expect.objectContaining({ code: 'TW1010', message: expect.stringContaining(reason) }),
    );
  });

  it.each<[NamespaceRulesOptions]>([
    [{ rename: { 'a.x': 'c.z', 'b.y': 'c.z' } }],
    // What is included by its plain name keeps it, so nobody else may take it.
    [{ include: ['a.x', 'b.y'], rename: { 'a.x': 'b.y' } }],
  ])('two plain names with one target: %j', (options) => {
    expect(() => compileNamespaceRules(options)).toThrow(expect.objectContaining({ code: 'TW1011' }));
  });

  it('not so names that change places, and an excluded name', () => {
    expect(() => compileNamespaceRules({ include: ['a.x', 'b.y'], rename: { 'a.x': 'b.y', 'b.y': 'a.x' } })).not.toThrow();
    expect(() => compileNamespaceRules({ include: ['a.x', 'b.y'], exclude: ['b.y'], rename: { 'a.x': 'b.y' } })).not.toThrow();
  });
});

describe('met while running', () => {
  it('two namespaces that only a wildcard brings together', () => {
    const rules = compileNamespaceRules({ rename: { 'a.*': 'c.*', 'b.*': 'c.*' } });
    rules.rename(namespace('a.x'));
    rules.rename(namespace('b.y'));
    expect(() => rules.rename(namespace('b.x'))).toThrow(
      expect.objectContaining({ code: 'TW1011', message: 'Both a.x and b.x would be written to c.x' }),
    );
    expect(rules.rename(namespace('a.x'))).toEqual(namespace('c.x'));
  });

  it('a namespace that has the name already that a rename gives away', () => {
    const rules = compileNamespaceRules({ rename: { 'a.x': 'b.x' } });
    expect(() => rules.rename(namespace('b.x'))).toThrow(expect.objectContaining({ code: 'TW1011' }));
  });

  it('a wildcard that leaves no name', () => {
    const rules = compileNamespaceRules({ rename: { 'shop.a*': 'search.*' } });
    expect(() => rules.rename(namespace('shop.a'))).toThrow(
      expect.objectContaining({ code: 'TW1010', message: expect.stringContaining('it would rename shop.a to "search."') }),
    );
  });
});

describe('merging', () => {
  it('gives several namespaces one name when asked to', () => {
    const rules = compileNamespaceRules({
      include: ['a.x', 'b.x'],
      rename: { '*.x': 'all_*.x', 'a.x': 'm.x', 'b.x': 'm.x' },
      allowMerge: true,
    });
    expect([rules.rename(namespace('a.x')), rules.rename(namespace('b.x'))]).toEqual([namespace('m.x'), namespace('m.x')]);
  });

  it('tells the names that are known before anything is read', () => {
    const rules = compileNamespaceRules({
      include: ['a.x', 'a.y', 'b.*'],
      exclude: ['a.y'],
      rename: { 'b.z': 'c.z', 'd.z': 'e.z', 'b.*': 'f.*' },
    });
    expect(rules.plain).toEqual([namespace('a.x'), namespace('b.z')]);
  });
});

describe('GridFS', () => {
  it('knows the collections of a marked bucket', () => {
    const { gridFsPart } = compileNamespaceRules({ gridfs: ['shop.fs'], rename: { 'shop.fs': 'x.y' } });
    const parts = ['shop.fs.files', 'shop.fs.chunks', 'shop.fs', 'shop.other.files'].map((name) => {
      const { database, collection } = namespace(name);
      return gridFsPart(database, collection);
    });
    expect(parts).toEqual(['files', 'chunks', undefined, undefined]);
  });

  it('includes the files of a marked bucket beside what is named, unless they are excluded, and no chunks', () => {
    const includedOf = (options: NamespaceRulesOptions) => {
      const { includes } = compileNamespaceRules({ ...options, gridfs: ['shop.fs'] });
      return ['fs.files', 'fs.chunks', 'orders', 'other.chunks'].filter((collection) => includes('shop', collection));
    };
    expect(includedOf({})).toEqual(['fs.files', 'orders', 'other.chunks']);
    expect(includedOf({ include: ['shop.orders'] })).toEqual(['fs.files', 'orders']);
    expect(includedOf({ include: ['shop.*'], exclude: ['shop.fs.*'] })).toEqual(['orders', 'other.chunks']);
  });

  it.each<[string, NamespaceRulesOptions]>([
    ['TW1372', { gridfs: ['shop.fs'], rename: { 'shop.*': 'copy.*' } }],
    ['TW1372', { gridfs: ['shop.fs'], rename: { 'shop.fs.chunks': 'shop.c' } }],
    ['TW1010', { gridfs: ['shop.*'] }],
    ['TW1010', { gridfs: ['fs'] }],
    ['TW1010', { gridfs: ['shop.fs.files'] }],
  ])('%s: %j', (code, options) => {
    expect(() => compileNamespaceRules(options)).toThrow(expect.objectContaining({ code }));
  });
});
