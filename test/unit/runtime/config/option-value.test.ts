// Maps as they are given on the command line and in the environment.
import { configOptions } from '@tailwater/runtime';
import { describe, expect, it } from 'vitest';
import { parseTexts } from '#runtime/config/option-value.js';

describe('name=value, where the name is a namespace', () => {
  it.each([
    ['a.b=c.d', { 'a.b': 'c.d' }],
    [' a.b = c.d , e.*=f.*', { 'a.b': 'c.d', 'e.*': 'f.*' }],
    // A database with an equals sign: it has no dot, so the one behind the dot is between the names.
    ['a=b.c=d.e', { 'a=b.c': 'd.e' }],
    ['a=b.c=d=e.f', { 'a=b.c': 'd=e.f' }],
    ['a==.c==b.d', { 'a==.c': '=b.d' }],
    ['a.b\\=c=d.e', { 'a.b=c': 'd.e' }],
    ['a\\=b.c\\=d=e.f=g', { 'a=b.c=d': 'e.f=g' }],
    ['a.b=c=d.e', { 'a.b': 'c=d.e' }],
    ['a=b', { a: 'b' }],
  ])('%s', (given, value) => expect(parseTexts(configOptions.rename, [given])).toEqual({ value }));

  it('also for filters and shard keys, whose values may hold one', () => {
    expect(parseTexts(configOptions.snapshotQuery, ['a=b.c={"x": "y=z"}'])).toEqual({ value: { 'a=b.c': '{"x": "y=z"}' } });
    expect(parseTexts(configOptions.mongoShardKey, ['a=b.c=region+_id'])).toEqual({ value: { 'a=b.c': 'region+_id' } });
  });

  it('what is no pair is refused', () => {
    for (const text of ['a.b', '=', 'a\\=b']) expect(parseTexts(configOptions.rename, [text]), text).toHaveProperty('wrongAt');
  });
});

it('other names end at the first =', () => {
  expect(parseTexts(configOptions.targetOption, ['key=a=b.c=='])).toEqual({ value: { key: 'a=b.c==' } });
});
