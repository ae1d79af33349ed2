// `consumer config convert`: a configuration of mongo-connector as a tailwater.yaml to go on with.
import { writeFileSync } from 'node:fs';
import {
  convertMongoConnector,
  describeReference,
  isFilledFile,
  jsonMistakeOf,
  readMongoConnector,
  toYaml,
} from '@tailwater/mongo-connector';
import { type Command, errorCodes, option, readConfigText, TailwaterError, text, yesOption } from '@tailwater/runtime';
import { checkConverted } from './check-converted.js';

const group = 'Output';

const options = {
  output: option(text().optional(), { group, describe: 'File to write; stdout when not given', alias: 'o', placeholder: 'file' }),
  yes: yesOption,
} as const;

export const convertCommand: Command<typeof options> = {
  name: 'config convert',
  summary: 'Convert mongo-connector’s config.json to a tailwater.yaml',
  description:
    'Writes what a configuration of mongo-connector becomes, with comments that say where each value comes from and what became of the other keys. Secrets are not copied: they become references to environment variables, which it lists. If a start would refuse the result, it reports that and writes nothing.',
  options,
  positionals: { file: { describe: 'The configuration of mongo-connector' } },
  examples: [['$0 config convert config.json -o tailwater.yaml', 'write a file; producer and consumers take it by --config']],
  async run({ output, yes }, { stdout, stderr, logger, arguments: { file = '' } }) {
    const input = readConfigText(file);
    const config = readMongoConnector(input);
    if (config === undefined)
      throw jsonMistakeOf(input, file) ?? new TailwaterError(errorCodes.NOT_MONGO_CONNECTOR_CONFIGURATION, { file });
    const conversion = convertMongoConnector({ config, file, exists: isFilledFile });
    const yaml = toYaml(conversion, file);
    await checkConverted(conversion, yaml, file, logger);
    if (output === undefined) stdout.write(yaml.text);
    else {
      write(output, yaml.text, yes);
      stderr.write(`Wrote ${output}; it says what became of each key\n`);
    }
    if (yaml.references.length > 0) stderr.write(`Set before a start: ${yaml.references.map(describeReference).join(', ')}\n`);
  },
};

function write(file: string, yaml: string, mayReplace: boolean): void {
  try {
    writeFileSync(file, yaml, { flag: mayReplace ? 'w' : 'wx' });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') throw new TailwaterError(errorCodes.FILE_EXISTS, { file });
    throw new TailwaterError(errorCodes.CONVERSION_NOT_WRITTEN, { file, reason: message }, { cause: error });
  }
}
