import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LogFile } from '#runtime/logging/log-file.js';
import { parseSize, type Rotation, rotateAtMs } from '#runtime/logging/rotation.js';

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tailwater-log-'));
  path = join(directory, 'producer.log');
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

class Hands {
  atMs = Date.now();
  readonly stderr: string[] = [];
  readonly told: string[] = [];
  readonly clock = { now: () => this.atMs, monotonic: () => this.atMs };
  readonly fallback = {
    write: (line: string) => void this.stderr.push(line),
    failed: ({ code, message }: { code: string; message: string }) => void this.told.push(`${code} ${message}`),
    recovered: (message: string) => void this.told.push(message),
  };

  file(rotation: Partial<Rotation> = {}, at: string = path): LogFile {
    return new LogFile(at, { bytes: 0, every: undefined, keep: 2, ...rotation }, this.fallback, this.clock);
  }
}

const read = (name: string) => readFileSync(join(directory, name), 'utf8');

describe('LogFile', () => {
  it('has a line on disk as soon as it is written, and appends to what is there', () => {
    writeFileSync(path, 'before\n');
    new Hands().file().write('a\n');
    expect(read('producer.log')).toBe('before\na\n');
  });

  it('rotates before a line that would make it too large, and keeps as many files as it is told', () => {
    const file = new Hands().file({ bytes: 10 });
    for (const line of ['11111111\n', '2222\n', '3333\n', '44444444444444\n', '5\n']) file.write(line);
    expect(readdirSync(directory).sort()).toEqual(['producer.log', 'producer.log.1', 'producer.log.2']);
    expect(['producer.log', 'producer.log.1', 'producer.log.2'].map(read)).toEqual(['5\n', '44444444444444\n', '2222\n3333\n']);
  });

  it('keeps none when told so', () => {
    const file = new Hands().file({ bytes: 10, keep: 0 });
    for (const line of ['11111111\n', '22222222\n']) file.write(line);
    expect(readdirSync(directory)).toEqual(['producer.log']);
    expect(read('producer.log')).toBe('22222222\n');
  });

  it('rotates by the hour, also a file of an hour before the start', () => {
    const hands = new Hands();
    writeFileSync(path, 'yesterday\n');
    utimesSync(path, new Date(hands.atMs - 86_400_000), new Date(hands.atMs - 86_400_000));
    const file = hands.file({ every: 'hourly' });
    file.write('a\n');
    file.write('b\n');
    hands.atMs += 3_600_000;
    file.write('c\n');
    expect(['producer.log', 'producer.log.1', 'producer.log.2'].map(read)).toEqual(['c\n', 'a\nb\n', 'yesterday\n']);
  });

  it('follows its name when another tool moves the file away', () => {
    const hands = new Hands();
    const file = hands.file();
    file.write('a\n');
    renameSync(path, `${path}.moved`);
    hands.atMs += 2_000;
    file.write('b\n');
    expect([read('producer.log.moved'), read('producer.log')]).toEqual(['a\n', 'b\n']);
  });

  it('says at the start what it cannot write, and why', () => {
    const hands = new Hands();
    expect(() => hands.file({}, join(directory, 'no', 'x.log'))).toThrow(
      expect.objectContaining({ code: 'TW1405', message: expect.stringContaining(`there is no directory ${join(directory, 'no')}`) }),
    );
    expect(() => hands.file({}, directory)).toThrow(
      expect.objectContaining({ code: 'TW1405', message: expect.stringContaining('directory') }),
    );
  });

  // The one device that is always full.
  it.runIf(existsSync('/dev/full'))('goes on on stderr while the disk is full, says so once, and comes back', () => {
    const hands = new Hands();
    const file = hands.file();
    file.write('a\n');
    const aside = `${path}.aside`;
    renameSync(path, aside);
    symlinkSync('/dev/full', path);
    hands.atMs += 2_000;
    file.write('b\n');
    file.write('c\n');
    hands.atMs += 11_000;
    file.write('d\n');
    expect(hands.stderr).toEqual(['b\n', 'c\n', 'd\n']);
    expect(hands.told).toEqual([expect.stringMatching(/^TW1403 No space left to write the log file .*producer\.log$/)]);
    renameSync(aside, path);
    hands.atMs += 11_000;
    file.write('e\n');
    expect(read('producer.log')).toBe('a\ne\n');
    expect(hands.stderr).toHaveLength(3);
    expect(hands.told.at(-1)).toMatch(/can be written again$/);
    file.close();
  });

  it('writes a file further that cannot be rotated', () => {
    const hands = new Hands();
    const file = hands.file({ bytes: 4 });
    file.write('aaa\n');
    // A directory that is not empty stands where the old file should go.
    closeSync(openSync(`${path}.1`, 'w'));
    rmSync(`${path}.1`);
    renameSync(mkdtempSync(join(tmpdir(), 'tailwater-log-')), `${path}.1`);
    writeFileSync(join(`${path}.1`, 'x'), '');
    renameSync(mkdtempSync(join(tmpdir(), 'tailwater-log-')), `${path}.2`);
    file.write('bbb\n');
    expect(read('producer.log')).toBe('aaa\nbbb\n');
    expect(hands.told).toEqual([expect.stringContaining('TW1405')]);
    expect(hands.stderr).toEqual([]);
  });
});

describe('rotation', () => {
  it.each([
    ['0', 0],
    ['4096', 4096],
    ['512k', 524_288],
    ['1.5M', 1_572_864],
    ['1 GB', 1_073_741_824],
  ])('reads %s', (text, bytes) => expect(parseSize(text)).toBe(bytes));

  it.each(['', 'big', '10x', '-1', '1e3'])('refuses "%s" as a size', (text) => {
    expect(() => parseSize(text)).toThrow(expect.objectContaining({ code: 'TW1081' }));
  });

  it('is on the hour or at midnight, by the local clock', () => {
    const at = new Date(2026, 2, 28, 22, 15, 3).getTime();
    expect(rotateAtMs('hourly', at)).toBe(new Date(2026, 2, 28, 23).getTime());
    expect(rotateAtMs('daily', at)).toBe(new Date(2026, 2, 29).getTime());
    expect(rotateAtMs(undefined, at)).toBe(Number.POSITIVE_INFINITY);
  });
});
