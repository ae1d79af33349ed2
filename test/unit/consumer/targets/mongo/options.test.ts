import { loadOptions } from '@tailwater/runtime';
import { describe, expect, it } from 'vitest';
import { mongoOptions, mongoSettings } from '#consumer/targets/mongo/options.js';

const settings = (flags: Record<string, string[]>) => mongoSettings(loadOptions(mongoOptions, { flags, env: {} }));

describe('mongoSettings', () => {
  it('asks a majority unless told otherwise', () => {
    expect(settings({}).writeConcern).toBe('majority');
    expect(settings({ mongoWriteConcern: ['2'] }).writeConcern).toBe(2);
    expect(settings({ mongoWriteConcern: ['dc1'] }).writeConcern).toBe('dc1');
  });

  it('reads shard keys, in which _id needs no mention', () => {
    const { shardKeys } = settings({ mongoShardKey: ['shop.orders=region+customer.id,shop.a.b=_id+x'] });
    expect(shardKeys).toEqual(
      new Map([
        ['shop.orders', ['region', 'customer.id']],
        ['shop.a.b', ['x']],
      ]),
    );
  });

  it.each<[string, Record<string, string[]>]>([
    ['TW1006', { mongoWriteConcern: ['0'] }],
    ['TW1345', { mongoShardKey: ['orders=a'] }],
    ['TW1345', { mongoShardKey: ['shop.orders=a..b'] }],
    ['TW1345', { mongoShardKey: ['shop.orders=a+$b'] }],
    ['TW1346', { mongoVersionField: ['a.b'] }],
    ['TW1346', { mongoVersionField: ['$a'] }],
    ['TW1346', { mongoVersionField: ['_id'] }],
  ])('%s: %j', (code, flags) => {
    expect(() => settings(flags)).toThrow(expect.objectContaining({ code }));
  });
});
