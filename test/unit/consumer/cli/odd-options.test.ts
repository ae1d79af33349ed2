// Odd values of every option of both starts: taken, or refused with a code before anything is connected. Never another error.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger, loadOptions, type Options, TailwaterError } from '@tailwater/runtime';
import { afterAll, expect, it } from 'vitest';
import * as consumer from '#consumer/cli/prepare-start.js';
import * as producer from '#producer/cli/prepare-start.js';
import { checkConnectionString } from '#producer/source/mongo/connect.js';

const directory = mkdtempSync(join(tmpdir(), 'odd-options-'));
afterAll(() => rmSync(directory, { recursive: true }));
const binary = join(directory, 'binary');
writeFileSync(binary, Buffer.from([0xff, 0xfe, 0x00, 0x80]));

const logger = createLogger({ name: 'x', format: 'json', destination: { write: () => {} } });

const NAMES = [
  '',
  ' ',
  '.',
  '..',
  'a',
  'a.',
  '.a',
  'a.b.',
  'a.*.*',
  '*',
  '*.*',
  '**.b',
  '$x.$y',
  'a.b=',
  '=a.b',
  '=',
  'a.b=c',
  'a.b:',
  ':a',
  'a.b:*',
  'ä.ö',
  'a b.c d',
  'a\u0000.b',
  '\ud800.b',
];
const NUMBERS = ['-1', '0', '0.5', '1e9', '1e400', '9007199254740993', '99999999999999999999', 'NaN', 'Infinity', '-0', '0x10', '١'];
const ADDRESSES = [
  'h',
  'h:',
  ':1',
  'h:-1',
  'h:99999',
  'h:1e3',
  '[::1]',
  '[::1]:1',
  '::1',
  'h:1:2',
  'h/1',
  'a,b',
  ',',
  'http://',
  'http://h:x',
  'https://u:p@',
  '//h',
  'file:///',
  'mongodb://',
  'mongodb:///',
  'mongodb://h:x',
  'mongodb://h/$x?authSource=$y',
  'mongodb://h/?a',
  'mongodb://h/?replicaSet=',
  'mongodb://h/?tls=true&ssl=false',
  'mongodb://u:%zz@h',
  'mongodb+srv://',
  'mongodb+srv://a,b/',
  'cloud:',
  'cloud:x:y',
  'http://h/solr/%zz',
  'http://h/solr/%2F',
];
const FILES = [
  directory,
  binary,
  join(binary, 'x'),
  '/nowhere',
  'x'.repeat(5_000),
  'a\u0000b',
  `file:${directory}`,
  `file:${binary}`,
  'file:',
  './x.js',
  '/dev/null',
];
const ODD = [
  ...NAMES,
  ...NUMBERS,
  ...ADDRESSES,
  ...FILES,
  '{}',
  '[]',
  'null',
  'true',
  '${X}',
  '"',
  "'",
  '\n',
  'x'.repeat(300),
  '--',
  '-',
  '%s',
  '../..',
];

/** Undefined, or the code; anything else is thrown. */
async function outcome(run: () => Promise<void> | void): Promise<string | undefined> {
  try {
    await run();
    return undefined;
  } catch (error) {
    if (error instanceof TailwaterError) return error.code;
    throw error;
  }
}

const flagsWith = (base: Record<string, string[]>, name: string, value: string) => ({ flags: { ...base, [name]: [value] }, env: {} });
const namesOf = (options: Options) => Object.keys(options);

it.each(namesOf(producer.startOptions))('producer: %s', async (name) => {
  for (const value of ODD) {
    const code = await outcome(() => {
      const given = loadOptions(producer.startOptions, flagsWith({ mongo: ['mongodb://h/'] }, name, value));
      const { access, registry } = producer.prepareStart(given, logger);
      checkConnectionString(given.mongo, access);
      void registry?.close();
    }).catch((error: unknown) => {
      throw new Error(`--${name} ${JSON.stringify(value.slice(0, 80))}: ${String(error)}`, { cause: error });
    });
    expect(code ?? 'TW1000').toMatch(/^TW1(?!499)/);
  }
});

const TARGETS: readonly [target: string, url: string][] = [
  ['es', 'http://h:1'],
  ['solr', 'http://h:1/solr/core'],
  ['mongo', 'mongodb://h/'],
];

/** All of them for one target; for the others what they take in another way. */
const OWN = /^(?:targetUrl|targetTls|targetUser|solr|mongo|uniqueKey|rename|transform)/;
const consumerOptions = TARGETS.flatMap(([target, url], index) =>
  namesOf(consumer.startOptions).flatMap((name) => (index === 0 || OWN.test(name) ? [[target, name, url] as const] : [])),
);

it.each(consumerOptions)('consumer of %s: %s', async (target, name, url) => {
  for (const value of ODD) {
    const code = await outcome(async () => {
      const given = loadOptions(consumer.startOptions, flagsWith({ target: [target], targetUrl: [url] }, name, value));
      const prepared = await consumer.prepareStart(given, logger);
      try {
        prepared.transforming.for(prepared.target);
      } finally {
        await prepared.target.close();
      }
    }).catch((error: unknown) => {
      throw new Error(`--${name} ${JSON.stringify(value.slice(0, 80))}: ${String(error)}`, { cause: error });
    });
    expect(code ?? 'TW1000').toMatch(/^TW1(?!499)/);
  }
});
