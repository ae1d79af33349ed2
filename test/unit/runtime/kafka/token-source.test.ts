import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TokenServer, tokenFile } from '#runtime/kafka/token-source.js';
import { TestTokenServer } from '#test/support/token-server.js';

let server: TestTokenServer;
let nowMs: number;
let source: TokenServer;

const client = (clientSecret: string) => new TokenServer({ url: new URL(server.tokenUrl), clientId: 'a:b', clientSecret }, () => nowMs);

beforeEach(async () => {
  server = await TestTokenServer.start({ 'a:b': 'ü%:secret' });
  server.lifetimeSeconds = 100;
  nowMs = 0;
  source = client('ü%:secret');
});
afterEach(() => server[Symbol.asyncDispose]());

describe('TokenServer', () => {
  it('asks once for as long as most of a token’s time, and for all who ask at once', async () => {
    const [one, two] = await Promise.all([source.token(), source.token()]);
    expect(two).toBe(one);
    nowMs = 79_000;
    expect(await source.token()).toBe(one);
    expect(server.given).toBe(1);
    nowMs = 80_000;
    await source.token();
    expect(server.given).toBe(2);
  });

  it('goes on with what it has while the server is away, as long as that is good', async () => {
    const token = await source.token();
    server.isAway = true;
    nowMs = 99_000;
    expect(await source.token()).toBe(token);
    nowMs = 100_000;
    await expect(source.token()).rejects.toMatchObject({ code: 'TW1218', retriable: true });
    server.isAway = false;
    await source.token();
    expect(server.given).toBe(2);
  });

  it('hands a forgotten token out no more', async () => {
    const token = await source.token();
    source.forget('another');
    expect(await source.token()).toBe(token);
    source.forget(token);
    await source.token();
    expect(server.given).toBe(2);
  });

  it('tells a refusal from an outage', async () => {
    await expect(client('wrong').token()).rejects.toMatchObject({ code: 'TW1219', retriable: false });
    const url = new URL('http://127.0.0.1:1/token?key=hidden');
    const away = new TokenServer({ url, clientId: 'a', clientSecret: 'b' });
    const message = 'No token for Kafka from http://127.0.0.1:1/token (ECONNREFUSED)';
    await expect(away.token()).rejects.toMatchObject({ code: 'TW1218', message });
  });
});

describe('tokenFile', () => {
  it('reads the file each time', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'token-'));
    const file = join(directory, 'token');
    try {
      const tokens = tokenFile(file);
      await expect(tokens.token()).rejects.toMatchObject({ code: 'TW1218', message: expect.stringContaining('ENOENT') });
      for (const token of ['one', 'two']) {
        await writeFile(file, `${token}\n`);
        expect(await tokens.token()).toBe(token);
      }
      await writeFile(file, 'two words');
      await expect(tokens.token()).rejects.toMatchObject({ code: 'TW1218' });
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});
