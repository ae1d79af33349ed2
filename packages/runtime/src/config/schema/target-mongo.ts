// What a target of the type `mongo` has beyond what all targets have.
import { configOption, map, text } from '../option.js';

const group = 'MongoDB';

export const mongo = {
  // A write that is not acknowledged may be lost, and its offset would be committed all the same: no 0.
  writeConcern: configOption(
    'mongoWriteConcern',
    text()
      .regex(/^(?!0+$)/)
      .default('majority'),
    {
      group,
      describe: 'How many members have a write before it counts: majority, a number, or a tag; beats the connection string',
      expected: 'a text: majority, a number above 0, or a tag',
    },
  ),
  shardKeys: configOption('mongoShardKey', map().default({}), {
    group,
    describe: 'Shard keys of the target’s sharded collections: db.collection=field, several fields joined by +',
    placeholder: 'db.collection=field',
    namesNamespaces: true,
  }),
  versionField: configOption('mongoVersionField', text().optional(), {
    group,
    describe: 'Keep each document’s version in this field, and refuse older ones',
    placeholder: 'field',
  }),
} as const;
