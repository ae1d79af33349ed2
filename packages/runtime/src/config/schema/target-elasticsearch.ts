// What a target of the type `es` has beyond what all targets have.
import { configOption, list, text, toggle } from '../option.js';

const group = 'Elasticsearch';

export const elasticsearch = {
  apiKey: configOption('esApiKey', text().optional(), {
    group,
    describe: 'API key, as Elasticsearch encodes it; better given in a file or as TAILWATER_ES_API_KEY',
    secret: 'value',
  }),
  compression: configOption('esCompression', toggle(), { group, describe: 'Compress requests with gzip: for slow networks; costs CPU' }),
  templates: configOption('esTemplate', list().default([]), {
    group,
    describe: 'JSON files, each the body of an index template (settings, mappings); put at the start as tailwater-<file name>',
    placeholder: 'file',
  }),
  pipeline: configOption('esPipeline', text().optional(), { group, describe: 'Ingest pipeline that every document passes' }),
  attachmentField: configOption(
    'esAttachmentField',
    text()
      .regex(/^[^._\s][^\s]*$/)
      .default('content'),
    {
      group,
      describe: 'Field that takes the content of a GridFS file, as base64: the source of an attachment processor in the pipeline',
      placeholder: 'field',
      expected: 'the name of a field, without blanks, not beginning with . or _',
    },
  ),
  aliasSuffix: configOption(
    'esAliasSuffix',
    text()
      .regex(/^[a-z0-9._-]{1,50}$/)
      .optional(),
    {
      group,
      describe: 'Write through aliases: the index has its name with this suffix, and the alias has the plain name',
      expected: '1 to 50 small letters, digits, dots, _ and -',
    },
  ),
} as const;
