// What the user may say about a MongoDB target beyond its connection string.
import { configOptions, errorCodes, type OptionValues, TailwaterError } from '@tailwater/runtime';

const { mongoWriteConcern, mongoShardKey, mongoVersionField } = configOptions;

export const mongoOptions = { mongoWriteConcern, mongoShardKey, mongoVersionField } as const;

/** What the options ask for. */
export interface MongoSettings {
  readonly writeConcern?: string | number;
  /** Dotted paths by `db.collection` of the target. */
  readonly shardKeys?: ReadonlyMap<string, readonly string[]>;
  readonly versionField?: string;
}

/** @throws TailwaterError TW1345 for a shard key that is none, TW1346 for a field that cannot hold versions */
export function mongoSettings(given: OptionValues<typeof mongoOptions>): MongoSettings {
  const { mongoVersionField: versionField } = given;
  if (versionField !== undefined && (/^\$|[.\0]/.test(versionField) || versionField === '_id'))
    throw new TailwaterError(errorCodes.VERSION_FIELD_UNUSABLE, { field: versionField });
  return {
    writeConcern: writeConcernOf(given.mongoWriteConcern),
    shardKeys: new Map(Object.entries(given.mongoShardKey).map(([name, key]) => [name, shardKeyOf(name, key)])),
    ...(versionField === undefined ? {} : { versionField }),
  };
}

const writeConcernOf = (text: string): string | number => (/^\d+$/.test(text) ? Number(text) : text);

function shardKeyOf(name: string, key: string): string[] {
  const fields = key.split('+').map((field) => field.trim());
  const isPath = (field: string) => field.split('.').every((piece) => piece !== '' && !piece.startsWith('$') && !piece.includes('\0'));
  if (/^[^.]+\../.test(name) && fields.every(isPath)) return fields.filter((field) => field !== '_id');
  throw new TailwaterError(errorCodes.MALFORMED_SHARD_KEY, { name, key });
}
