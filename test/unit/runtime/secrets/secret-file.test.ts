import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineOptions, loadOptions } from '@tailwater/runtime';
import { afterAll, describe, expect, it } from 'vitest';

const directory = mkdtempSync(join(tmpdir(), 'secret-'));
afterAll(() => rmSync(directory, { recursive: true }));
const file = (name: string, text: string): string => {
  writeFileSync(join(directory, name), text);
  return join(directory, name);
};
const specs = defineOptions({
  kafkaPassword: { type: 'string', group: 'x', describe: 'x', secret: true },
  other: { type: 'string', group: 'x', describe: 'x' },
});

describe('a secret from a file', () => {
  it('is its content without the last line break, from a flag, a variable or the configuration file', () => {
    const path = file('kafka', 'ge heim\n');
    const from = (flags: object, env: NodeJS.ProcessEnv, values?: ReadonlyMap<string, unknown>) =>
      loadOptions(specs, flags as never, env, values).kafkaPassword;
    expect(from({ kafkaPassword: [`file:${path}`] }, {})).toBe('ge heim');
    expect(from({}, { TAILWATER_KAFKA_PASSWORD: `file://${path}` })).toBe('ge heim');
    expect(from({}, {}, new Map([['kafkaPassword', `file:${path}`]]))).toBe('ge heim');
  });

  it('is only read for secrets', () => {
    expect(loadOptions(specs, { other: ['file:/none'] }, {}).other).toBe('file:/none');
  });

  it('must be there', () => {
    const load = (path: string) => () => loadOptions(specs, { kafkaPassword: [`file:${path}`] }, {});
    expect(load('/none')).toThrow(expect.objectContaining({ code: 'TW1017', message: expect.stringContaining('--kafka-password') }));
    expect(load(file('empty', '\n'))).toThrow(expect.objectContaining({ code: 'TW1044' }));
  });
});
