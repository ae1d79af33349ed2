// What the user may say about a MongoDB target beyond its connection string.
import { defineOptions, type OptionValues, TailwaterError } from '@tailwater/runtime';

const group = 'MongoDB:';

export const mongoOptions = defineOptions({
  mongoWriteConcern: {
    type: 'string',
    group,
    describe: 'How many members have a write before it counts: majority, a number, or a tag; beats the connection string',
    default: 'majority',
  },
  mongoShardKey: {
    type: 'map',
    group,
    describe: 'Shard keys of the target’s sharded collections: db.collection=field, several fields joined by +',
  },
  mongoVersionField: {
    type: 'string',
    group,
    describe: 'Keep each document’s version in this field, and refuse older ones',
  },
});

/** What the options ask for. */
export interface MongoSettings {
  readonly writeConcern?: string | number;
  /** Dotted paths by `db.collection` of the target. */
  readonly shardKeys?: ReadonlyMap<string, readonly string[]>;
  readonly versionField?: string;
}

/** @throws TailwaterError TW1006 for a write concern of 0, TW1345 for a shard key that is none, TW1346 for a field that cannot hold versions */
export function mongoSettings(given: OptionValues<typeof mongoOptions>): MongoSettings {
  const { mongoVersionField: versionField } = given;
  if (versionField !== undefined && (/^\$|[.\0]/.test(versionField) || versionField === '_id'))
    throw new TailwaterError('TW1346', { field: versionField });
  return {
    writeConcern: writeConcernOf(given.mongoWriteConcern),
    shardKeys: new Map(Object.entries(given.mongoShardKey).map(([name, key]) => [name, shardKeyOf(name, key)])),
    ...(versionField === undefined ? {} : { versionField }),
  };
}

function writeConcernOf(text: string): string | number {
  if (!/^\d+$/.test(text)) return text;
  if (Number(text) > 0) return Number(text);
  // A write that nobody confirms may be lost, and its offset would be committed all the same.
  throw new TailwaterError('TW1006', { flag: '--mongo-write-concern', expected: 'majority, a number above 0, or a tag', actual: text });
}

function shardKeyOf(name: string, key: string): string[] {
  const fields = key.split('+').map((field) => field.trim());
  const isPath = (field: string) => field.split('.').every((piece) => piece !== '' && !piece.startsWith('$') && !piece.includes('\0'));
  if (/^[^.]+\../.test(name) && fields.every(isPath)) return fields.filter((field) => field !== '_id');
  throw new TailwaterError('TW1345', { name, key });
}
