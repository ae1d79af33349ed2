// Whatever is in a configuration file, of either kind, ends in a configuration or in an error with a code: never in another error, and soon.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { convertMongoConnector, findJsonMistake, type JsonObject, readMongoConnector, toYaml } from '@tailwater/mongo-connector';
import { configOptions, parseConfigFile, programScope, TailwaterError, targetScope } from '@tailwater/runtime';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { readConfiguration } from '#mongo-connector/read-configuration.js';
import { resolveOptions } from '#runtime/config/load-options.js';
import { expand } from '#runtime/config/references.js';

const directory = mkdtempSync(join(tmpdir(), 'tailwater-fuzz-'));
afterAll(() => rmSync(directory, { recursive: true }));

const FIXTURES = 'test/fixtures/mongo-connector';
const ofMongoConnector = readdirSync(join(FIXTURES, 'accepted')).map((name) => readFileSync(join(FIXTURES, 'accepted', name), 'utf8'));
const ours = [
  'source: { uri: mongodb://h/ }\nkafka: { brokers: [a:1, b:2], sasl: { mechanism: plain, user: u, password: p } }\n',
  'namespaces:\n  include: [shop.*]\n  rename: { "shop.a": "x.b" }\n  fields: { exclude: [a.b] }\nproducer: { snapshot: { mode: never } }\n',
  'targets:\n  a: &a { type: es, url: "http://h" }\n  b: *a\n  c: { type: ./x.js, options: { k: v } }\nlogging: { level: info }\n',
  '{"kafka": {"prefix": "tw"}, "status": {"port": 0}}',
];
const RUNS = { numRuns: 300 };

/** Pieces that mean something to one of the parsers. */
const piece = fc.oneof(
  fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"',
    "'",
    '\\',
    '/*',
    '//',
    '#',
    '\n',
    '\t',
    '---\n',
    '&a ',
    '*a',
    '!!js ',
    '<<: ',
    '? ',
    '- ',
    '| ',
    '> ',
  ),
  fc.constantFrom(
    '${',
    '}',
    '$${X}',
    'null',
    'true',
    '1e999',
    '-0',
    '0x10',
    '\u0000',
    '\uFEFF',
    '\u2028',
    '\ud800',
    '\r',
    'é',
    '"__',
    'file:',
  ),
  fc.constantFrom(
    '"mainAddress": ',
    '"docManagers": [',
    '"targetURL": ',
    '"namespaces": {',
    '"__proto__": {',
    '"constructor": ',
    'targets:',
    '%',
  ),
  fc.string({ maxLength: 5 }),
);

/** A text of the list, with pieces put in, taken out, or doubled. */
const mutated = (texts: readonly string[]) =>
  fc
    .tuple(
      fc.constantFrom(...texts),
      fc.array(fc.tuple(fc.nat(), fc.nat({ max: 12 }), fc.array(piece, { maxLength: 3 })), { maxLength: 4 }),
    )
    .map(([text, edits]) =>
      edits.reduce((edited, [at, length, pieces]) => {
        const from = edited.length === 0 ? 0 : at % (edited.length + 1);
        return `${edited.slice(0, from)}${pieces.join('')}${edited.slice(from + length)}`;
      }, text),
    );

/** What the value is, or the code; any other error is thrown. */
function coded<T>(make: () => T): T | string {
  try {
    return make();
  } catch (error) {
    if (error instanceof TailwaterError) return error.code;
    throw error;
  }
}

/** As a start reads a file. */
function read(name: string, text: string): unknown {
  const file = join(directory, name);
  writeFileSync(file, text);
  return coded(() => {
    const { file: config } = readConfiguration(file, []);
    if (config === undefined) return undefined;
    const scopes = [programScope(config, 'producer'), ...config.targets.map((target) => targetScope(config, target))];
    return scopes.map((scope) => resolveOptions(configOptions, { flags: {}, env: {}, file: scope }, []));
  });
}

describe('a file', () => {
  it.each(['config.json', 'tw.yaml', 'without-an-end'])('of mongo-connector, called %s', (name) => {
    fc.assert(
      fc.property(mutated(ofMongoConnector), (text) => void read(name, text)),
      RUNS,
    );
  });

  it.each(['config.json', 'tw.yaml'])('of Tailwater, called %s', (name) => {
    fc.assert(
      fc.property(mutated(ours), (text) => void read(name, text)),
      RUNS,
    );
  });

  it('of any text', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => void read('any', pieces.join(''))),
      RUNS,
    );
  });

  it.each([
    ['brackets', '['.repeat(100_000)],
    ['braces', '{"a":'.repeat(100_000)],
    ['values in values', `{"mainAddress": ${'['.repeat(20_000)}${']'.repeat(20_000)}}`],
    ['comments', '# x\n'.repeat(20_000)],
    ['unclosed comments', `/*${'*'.repeat(100_000)}`],
    ['hashes', '#'.repeat(100_000)],
    ['blanks', ' '.repeat(200_000)],
    [
      'aliases of aliases',
      `a: &a [x]\n${Array.from({ length: 30 }, (_, n) => `b${n}: &b${n} [${n === 0 ? '*a,*a' : `*b${n - 1},*b${n - 1}`}]`).join('\n')}\nkafka: *b29\n`,
    ],
    ['aliases of themselves', 'kafka: &k { brokers: *k }\n'],
    ['characters in an address', JSON.stringify({ mainAddress: `mongodb://u:${'p'.repeat(100_000)}@h/` })],
    ['characters in a key', `${'k'.repeat(100_000)}: 1\n`],
    ['keys', `${Array.from({ length: 2_000 }, (_, n) => `k${n}: 1`).join('\n')}\n`],
  ])('of many %s ends soon', (_, text) => {
    const begin = performance.now();
    read('config.json', text);
    read('tw.yaml', text);
    // Seconds on a busy machine; what grows with the square or worse takes minutes.
    expect(performance.now() - begin).toBeLessThan(15_000);
  });
});

it('a mistake in JSON is found exactly where there is one, and inside the text', () => {
  fc.assert(
    fc.property(fc.oneof(mutated([...ofMongoConnector, '[1, -2.5e3, true, null, "\\u00e9\\n", {"a": []}]']), fc.json()), (text) => {
      const parses = coded(() => {
        try {
          JSON.parse(text);
          return true;
        } catch {
          return false;
        }
      });
      const mistake = findJsonMistake(text);
      expect(mistake === undefined).toBe(parses);
      expect(mistake?.reason).not.toBe('it is no JSON');
      if (mistake !== undefined) expect(mistake.offset).toBeLessThanOrEqual(text.length);
    }),
    { numRuns: 1_000 },
  );
});

describe('a configuration of mongo-connector of any values', () => {
  const odd = fc.oneof(
    fc.constantFrom<unknown>(null, true, 0, -1, 1e21, 0.5, '', ' ', 'x:1', 's3cret', [], {}, [null], 'file:x', '${X}', '/dev/log'),
    fc.string(),
    fc.jsonValue({ maxDepth: 1 }),
  );
  /** Mostly a value that the key takes. */
  const near = (...good: unknown[]) => fc.oneof({ weight: 15, arbitrary: fc.constantFrom(...good) }, { weight: 1, arbitrary: odd });
  const some = (keys: Record<string, fc.Arbitrary<unknown>>) => fc.record(keys, { requiredKeys: [] });
  const address = near('h', ' u:s3cret@h:1 ', 'mongodb://u:${s}3cret@h/?w=0&tz_aware=1', 'http://u:s3cret@h/solr/c', 'a:1,b:2');
  const texts = fc.oneof({ weight: 15, arbitrary: fc.array(fc.string({ minLength: 1 }), { maxLength: 3 }) }, { weight: 1, arbitrary: odd });
  const clientOptions = some({
    http_auth: near('u:s3cret', ['u', 's3cret']),
    api_key: near('s3cret', ['i', 's3cret']),
    timeout: near(1, 0.5, 90),
    use_ssl: near(true, false),
    username: near('u'),
    password: near('s3cret', 's3cret: # "${x}'),
    w: near(0, 1, 'majority'),
    ssl_ca_certs: near('ca.pem'),
    replicaSet: near('rs'),
    tz_aware: near(true),
  });
  const docManager = some({
    docManager: near('elastic_doc_manager', 'elastic2_doc_manager', 'solr_doc_manager', 'mongo_doc_manager'),
    targetURL: fc.oneof(address, fc.array(address, { minLength: 1, maxLength: 2 })),
    bulkSize: near(1, 500, 1e6),
    uniqueKey: near('_id', 'id'),
    autoCommitInterval: near(0, 1.5),
    args: some({ clientOptions, attachment_field: near('content') }),
  });
  const config = some({
    mainAddress: address,
    oplogFile: near('oplog.timestamp'),
    noDump: near(true, false),
    onlyDump: near(true, false),
    verbosity: near(0, 1, 2, 3),
    fields: texts,
    authentication: fc.constantFrom(
      { adminUsername: 'u', password: 's3cret ${x}' },
      { adminUsername: 'u', passwordFile: 'f: #' },
      {},
      { password: 'x' },
    ),
    ssl: some({ sslCertfile: near('c'), sslCACerts: near('ca'), sslCertificatePolicy: near('required', 'ignored', 'optional') }),
    logging: some({
      type: near('file', 'syslog', 'stream'),
      filename: near('x.log', 'a: #'),
      host: near('h:1', '/dev/log'),
      rotationBackups: near(0, 3),
    }),
    namespaces: fc.dictionary(
      fc.oneof(
        fc.constantFrom('a.b', 'a.*', '*.c', 'd=e.f'),
        fc.string().map((name) => `x.${name}`),
      ),
      near(true, false, {}, 'y.z', { includeFields: ['f'] }),
    ),
    docManagers: fc.array(docManager, { maxLength: 2 }),
  }).map((each) => JSON.parse(JSON.stringify(each)) as JsonObject);

  it('is refused with a code, or becomes a file that is taken and means the same', () => {
    let accepted = 0;
    fc.assert(
      fc.property(config, (input) => {
        const text = JSON.stringify({ docManagers: [], ...input });
        const given = readMongoConnector(text);
        const conversion = coded(() => convertMongoConnector({ config: given ?? {}, file: 'config.json', exists: () => false }));
        if (typeof conversion === 'string') return;
        accepted += 1;
        const { text: yaml, references } = toYaml(conversion, 'config.json');
        const file = parseConfigFile(yaml, 'tailwater.yaml');
        const env = Object.fromEntries(references.map((each) => [each.variable, each.value]));
        for (const [key, { value: expected }] of conversion.tree) {
          expect(expand(file.entries.get(key)?.written, env, key)).toEqual(expected);
        }
      }),
      { numRuns: 2_000 },
    );
    expect(accepted).toBeGreaterThan(20);
  });
});
