import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { configOptions, type Flags, loadOptions } from '@tailwater/runtime';
import { afterAll, describe, expect, it } from 'vitest';

const directory = mkdtempSync(join(tmpdir(), 'secret-'));
afterAll(() => rmSync(directory, { recursive: true }));
const file = (name: string, text: string): string => {
  writeFileSync(join(directory, name), text);
  return join(directory, name);
};
const { kafkaPassword, kafkaUser } = configOptions;

describe('a secret from a file', () => {
  it('is its content without the white space at its end, from a flag or a variable', () => {
    const path = file('kafka', 'ge heim \r\n');
    const from = (flags: Flags, env: NodeJS.ProcessEnv) => loadOptions({ kafkaPassword }, { flags, env }).kafkaPassword;
    expect(from({ kafkaPassword: [`file:${path}`] }, {})).toBe('ge heim');
    expect(from({}, { TAILWATER_KAFKA_PASSWORD: `file://${path}` })).toBe('ge heim');
  });

  it('is only read for secrets', () => {
    expect(loadOptions({ kafkaUser }, { flags: { kafkaUser: ['file:/none'] }, env: {} }).kafkaUser).toBe('file:/none');
  });

  it('must be there', () => {
    const load = (path: string) => () => loadOptions({ kafkaPassword }, { flags: { kafkaPassword: [`file:${path}`] }, env: {} });
    expect(load('/none')).toThrow(expect.objectContaining({ code: 'TW1017', message: expect.stringContaining('--kafka-password') }));
    expect(load(file('empty', '\n'))).toThrow(expect.objectContaining({ code: 'TW1044' }));
  });
});
