// `namespaces:` which collections, and what becomes of their names and documents on the way.
import { z } from 'zod';
import { configOption, list, map, text, toggle } from '../option.js';

const group = 'Namespaces';
const pattern = 'db.collection';

export const namespaces = {
  include: configOption('include', list().default([]), {
    group,
    describe: 'Namespaces to publish, or to apply, db.collection with * as wildcard; all but system ones when none is named',
    placeholder: pattern,
  }),
  exclude: configOption('exclude', list().default([]), {
    group,
    describe: 'Namespaces to leave out; beats --include',
    placeholder: pattern,
  }),
  rename: configOption('rename', map().default({}), {
    group,
    describe:
      'Name at the target by name in the source, a=b; one * on each side. A = in a collection’s name is written \\= on the left side',
    placeholder: 'a=b',
    namesNamespaces: true,
  }),
  allowMerge: configOption('allowMerge', toggle(), { group, describe: 'Several namespaces may go to one name at the target' }),
  gridfs: configOption('gridfs', list().default([]), {
    group,
    describe: 'GridFS buckets, db.bucket: each of their files is published with its content. They cannot be renamed',
    placeholder: 'db.bucket',
  }),
  gridfsMaxBytes: configOption(
    'gridfsMaxBytes',
    z
      .int()
      .min(0)
      .max(18 * 1024 * 1024)
      .default(16 * 1024 * 1024),
    {
      group,
      describe: 'Bytes of a file’s content that are published with it; of a larger file only its metadata are',
      placeholder: 'bytes',
    },
  ),
  fields: {
    include: configOption('includeFields', list().default([]), {
      group: 'Documents',
      describe: 'Fields to apply, dotted; _id always is. db.collection:field says it for one namespace or, with *, for some',
      placeholder: 'field',
    }),
    exclude: configOption('excludeFields', list().default([]), {
      group: 'Documents',
      describe: 'Fields to leave out, likewise',
      placeholder: 'field',
    }),
  },
  transform: configOption('transform', text().optional(), {
    group: 'Documents',
    describe: 'JavaScript module whose default export turns a document into another one, several, or null to leave it out',
    placeholder: 'file',
  }),
} as const;
