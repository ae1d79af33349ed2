import { describe, expect, it } from 'vitest';
import { matchStage, scopeOf } from '#producer/source/mongo/stream-scope.js';

const scope = (...include: string[]) => scopeOf({ include, exclude: [] });

describe('scopeOf', () => {
  it('is as narrow as the rules let it be', () => {
    expect(scope('shop.orders')).toEqual({ database: 'shop', collection: 'orders' });
    expect(scope('shop.a.b')).toEqual({ database: 'shop', collection: 'a.b' });
    expect(scope('shop.orders', 'shop.items')).toEqual({ database: 'shop' });
    expect(scope('shop.*')).toEqual({ database: 'shop' });
    expect(scope('shop.orders', 'crm.people')).toEqual({});
    expect(scope('sh*.orders')).toEqual({});
    expect(scope()).toEqual({});
  });
});

describe('matchStage', () => {
  it('asks for nothing where everything is included', () => {
    expect(matchStage({ include: [], exclude: [] })).toBeUndefined();
  });

  it('takes what is included and not excluded, renames by either name, and commands on databases', () => {
    const any = (text: string) => ({ $regex: text, $options: 's' });
    const names = (field: string) => ({
      $and: [
        { [`${field}.coll`]: { $exists: true } },
        { $or: [{ [`${field}.db`]: 'shop', [`${field}.coll`]: 'orders' }] },
        { $nor: [{ [`${field}.db`]: any('^.*$'), [`${field}.coll`]: any('^tmp.*$') }] },
      ],
    });
    expect(matchStage({ include: ['shop.orders'], exclude: ['*.tmp*'] })).toEqual({
      $match: {
        $or: [names('ns'), names('to'), { operationType: { $in: ['dropDatabase', 'invalidate'] } }],
      },
    });
  });

  it('takes characters of names for themselves', () => {
    const stage = matchStage({ include: ['shop.a+(b).$*'], exclude: [] });
    expect(stage?.['$match'].$or[0].$and[1].$or[0]['ns.coll'].$regex).toBe('^a\\+\\(b\\)\\.\\$.*$');
  });
});
