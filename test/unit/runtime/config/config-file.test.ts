import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConfigFile, parseConfigFile, programScope, readConfigFile, targetScope } from '@tailwater/runtime';
import { describe, expect, it } from 'vitest';

const values = ({ entries }: ConfigFile) => Object.fromEntries([...entries].map(([key, { written }]) => [key, written]));
const parse = (text: string) => values(parseConfigFile(text, 'tw.yaml'));

describe('what a file says', () => {
  it('takes every type', () => {
    const text =
      'kafka: { brokers: [a:1, b:2], tls: { enabled: true } }\nstatus:\n  port: 0\nnamespaces:\n  rename: {a.b: c.d, "e.*": "f.*"}\n';
    expect(parse(text)).toEqual({
      'kafka.brokers': ['a:1', 'b:2'],
      'kafka.tls.enabled': true,
      'status.port': 0,
      'namespaces.rename': { 'a.b': 'c.d', 'e.*': 'f.*' },
    });
  });

  it('takes JSON with a schema, anchors, an empty file, comments and empty sections', () => {
    expect(parse('{\n\t"$schema": "x",\n\t"status": {"port": 3}\n}')).toEqual({ 'status.port': 3 });
    const anchors =
      'namespaces: &n { include: &i [a.b] }\nproducer: { namespaces: *n }\ntargets: { t: { type: es, namespaces: { exclude: *i } } }';
    expect(parse(anchors)).toMatchObject({
      'producer.namespaces.include': ['a.b'],
      'targets.t.namespaces.exclude': ['a.b'],
    });
    for (const text of ['', '# nothing\n', '---\n', 'null', 'kafka:\n', 'kafka: ~\ntargets:\nproducer: { snapshot: }\n'])
      expect(parse(text), text).toEqual({});
  });

  it('knows the keys of each type of target', () => {
    const text = `targets:
  a: { type: es, tls: { ca: x }, kafka: { sasl: { user: u } } }
  b: { type: solr, schema: add, versionField: v }
  c: { type: mongo, versionField: v }
  d: { type: ./own.js, options: { path: x } }
  e: { type: "\${TYPE}", schema: add, options: { path: x } }
`;
    expect(parseConfigFile(text, 'tw.yaml').targets).toEqual(['a', 'b', 'c', 'd', 'e']);
  });
});

describe('what of a file counts for a process', () => {
  const file = parseConfigFile(
    `kafka: { brokers: [all:1] }
producer: { kafka: { brokers: [producer:1] }, startAt: earliest }
targets:
  search: { type: es, kafka: { brokers: [search:1] } }
  copy: { type: mongo, batchSize: 5 }
`,
    'tw.yaml',
  );

  it('what is said for it alone, else what is said for all', () => {
    const ofFlag = (scope: ReturnType<typeof programScope>, flag: string) => scope.entryOf(flag)?.written;
    expect(ofFlag(programScope(file, 'producer'), 'kafka')).toEqual(['producer:1']);
    expect(ofFlag(programScope(file, 'producer'), 'startAt')).toBe('earliest');
    expect(ofFlag(programScope(file, 'consumer'), 'kafka')).toEqual(['all:1']);
    expect(ofFlag(targetScope(file, 'search'), 'kafka')).toEqual(['search:1']);
    expect(ofFlag(targetScope(file, 'copy'), 'kafka')).toEqual(['all:1']);
    expect(ofFlag(targetScope(file, 'copy'), 'batchSize')).toBe(5);
    expect(ofFlag(targetScope(file, 'search'), 'batchSize')).toBeUndefined();
    expect(ofFlag(targetScope(file, 'search'), 'name')).toBe('search');
  });

  it('a target needs no name when it is the only one, or when the file has none', () => {
    expect(targetScope(parseConfigFile('targets: { only: { type: es } }', 'tw.yaml'), undefined).entryOf('name')?.written).toBe('only');
    expect(targetScope(parseConfigFile('kafka: { prefix: tw }', 'tw.yaml'), 'any').entryOf('prefix')?.written).toBe('tw');
  });

  it('a name that is missing or wrong is asked for', () => {
    expect(() => targetScope(file, undefined)).toThrow(
      expect.objectContaining({ code: 'TW1024', hint: 'Choose one with --name or TAILWATER_NAME: search, copy.' }),
    );
    expect(() => targetScope(file, 'serach')).toThrow(
      expect.objectContaining({ code: 'TW1023', message: 'tw.yaml has no target serach, did you mean search?' }),
    );
  });
});

it('readConfigFile reads a file, or says why it cannot', () => {
  const directory = mkdtempSync(join(tmpdir(), 'tailwater-config-'));
  try {
    const file = join(directory, 'tw.yaml');
    writeFileSync(file, '\uFEFFkafka:\r\n  prefix: tw\r\n');
    expect(values(readConfigFile(file))).toEqual({ 'kafka.prefix': 'tw' });
    const missing = join(directory, 'none.yaml');
    expect(() => readConfigFile(missing)).toThrow(
      expect.objectContaining({ code: 'TW1003', message: `Cannot read the configuration file ${missing}: there is no such file` }),
    );
    expect(() => readConfigFile(directory)).toThrow(
      expect.objectContaining({ code: 'TW1003', message: expect.stringContaining('it is a directory') }),
    );
  } finally {
    rmSync(directory, { recursive: true });
  }
});
