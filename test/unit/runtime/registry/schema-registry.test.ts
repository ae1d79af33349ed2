// What the registry is asked, and what its answers mean.
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createLogger, schemaLookup, schemaRegistryOf } from '@tailwater/runtime';
import { afterEach, describe, expect, it } from 'vitest';

interface Asked {
  readonly line: string;
  readonly authorization: string | undefined;
  readonly body: string;
}
type Answer = readonly [status: number, body: object | string];

const NONE = {
  schemaRegistry: undefined,
  schemaRegistryUser: undefined,
  schemaRegistryPassword: undefined,
  schemaRegistryToken: undefined,
  schemaRegistryTlsCa: undefined,
};
const closing: Server[] = [];
afterEach(() => {
  for (const server of closing.splice(0)) server.close().closeAllConnections();
});

/** A server that answers each request with the next of these, the last one from then on. */
async function registryThat(...answers: Answer[]) {
  const asked: Asked[] = [];
  const read = async (request: IncomingMessage): Promise<string> => {
    let body = '';
    for await (const part of request) body += String(part);
    return body;
  };
  const server = createServer(async (request, response) => {
    asked.push({ line: `${request.method} ${request.url}`, authorization: request.headers.authorization, body: await read(request) });
    const [status, body] = (answers.length > 1 ? answers.shift() : answers[0]) as Answer;
    response.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(server);
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

const open = (schemaRegistry: string, rest: Partial<typeof NONE> = {}) => {
  const registry = schemaRegistryOf({ ...NONE, ...rest, schemaRegistry } as never);
  if (registry === undefined) throw new Error('no registry');
  return registry;
};
const never = new AbortController().signal;

describe('register', () => {
  it('looks the schema up, which takes no right to write, and registers it where it is missing', async () => {
    const { url, asked } = await registryThat([404, { error_code: 40403 }], [200, { id: 7 }]);
    expect(await open(`${url}/apis/ccompat/v7/`).register('tw.shop.größe-value', '"int"')).toBe(7);
    expect(asked.map(({ line }) => line)).toEqual([
      'POST /apis/ccompat/v7/subjects/tw.shop.gr%C3%B6%C3%9Fe-value',
      'POST /apis/ccompat/v7/subjects/tw.shop.gr%C3%B6%C3%9Fe-value/versions',
    ]);
    expect(asked.map(({ body }) => JSON.parse(body))).toEqual([{ schema: '"int"' }, { schema: '"int"' }]);
  });

  it('registers nothing that is there', async () => {
    const { url, asked } = await registryThat([200, { id: 3, version: 1 }]);
    expect(await open(url).register('a', '"int"')).toBe(3);
    expect(asked).toHaveLength(1);
  });

  it.each([
    [409, 'TW1562'],
    [422, 'TW1562'],
    [401, 'TW1561'],
    [403, 'TW1561'],
    [500, 'TW1560'],
    [418, 'TW1563'],
  ])('calls %i %s', async (status, code) => {
    const { url } = await registryThat([status, { message: 'because' }]);
    await expect(open(url).register('a', '"int"')).rejects.toMatchObject({ code });
  });

  it('does not take a page for an answer', async () => {
    const { url } = await registryThat([200, '<html>']);
    await expect(open(url).register('a', '"int"')).rejects.toMatchObject({ code: 'TW1563' });
  });
});

describe('schemaOf', () => {
  it.each([
    [200, { schema: '"int"' }, { avro: '"int"' }],
    [200, { schema: '"int"', schemaType: 'AVRO' }, { avro: '"int"' }],
    [200, { schema: '{}', schemaType: 'JSON' }, 'other'],
    [404, { error_code: 40403 }, undefined],
  ])('makes of %i %j %j', async (status, body, expected) => {
    const { url } = await registryThat([status, body]);
    expect(await open(url).schemaOf(5)).toEqual(expected);
  });
});

describe('credentials', () => {
  it('are sent, from options or from the URL, and are not in the address', async () => {
    const { url, asked } = await registryThat([200, { schema: '"int"' }]);
    const inUrl = open(url.replace('//', '//me:p%40ss@'));
    await inUrl.schemaOf(1);
    await open(url, { schemaRegistryUser: 'me' as never, schemaRegistryPassword: 'p@ss' as never }).schemaOf(1);
    await open(url, { schemaRegistryToken: 'abc' as never }).schemaOf(1);
    const basic = `Basic ${Buffer.from('me:p@ss').toString('base64')}`;
    expect(asked.map(({ authorization }) => authorization)).toEqual([basic, basic, 'Bearer abc']);
    expect(inUrl.address).toBe(url);
  });

  it.each([
    [{ schemaRegistryUser: 'me' }, 'TW1007'],
    [{ schemaRegistryPassword: 'secret' }, 'TW1007'],
    [{ schemaRegistryUser: 'me', schemaRegistryPassword: 'secret', schemaRegistryToken: 'abc' }, 'TW1015'],
    [{ schemaRegistry: 'registry:8081' }, 'TW1006'],
    [{ schemaRegistry: 'http://a,nonsense' }, 'TW1006'],
  ])('of %j are refused', (given, code) => {
    expect(() => schemaRegistryOf({ ...NONE, schemaRegistry: 'http://127.0.0.1:1', ...given } as never)).toThrow(
      expect.objectContaining({ code }) as Error,
    );
  });
});

describe('a registry that is away', () => {
  it('is asked at its next address', async () => {
    const { url } = await registryThat([200, { schema: '"int"' }]);
    expect(await open(`http://127.0.0.1:1,${url}`).schemaOf(1)).toEqual({ avro: '"int"' });
  });

  it('is waited for while an id is looked up', async () => {
    const { url, asked } = await registryThat([503, {}], [503, {}], [200, { schema: '"int"' }]);
    const lookup = schemaLookup(open(url), createLogger({ name: 'test', level: 'silent' }));
    expect(await lookup?.(1, never)).toEqual({ avro: '"int"' });
    expect(asked).toHaveLength(3);
  });

  it.each<[string, Answer]>([
    ['a proxy’s 404', [404, '<html>no such page</html>']],
    ['JSON that is not its own', [404, { detail: 'Not Found' }]],
    ['a login page', [200, '<html>Sign in</html>']],
  ])('is waited for while %s stands in its place, and the id is not held to be unknown', async (_, answer) => {
    const { url, asked } = await registryThat(answer, answer, [200, { schema: '"int"' }]);
    const lookup = schemaLookup(open(url), createLogger({ name: 'test', level: 'silent' }));
    expect(await lookup?.(1, never)).toEqual({ avro: '"int"' });
    expect(asked).toHaveLength(3);
  });

  it('is waited for while it refuses: somebody will see to the credentials', async () => {
    const { url } = await registryThat([403, {}], [200, { schema: '"int"' }]);
    const lookup = schemaLookup(open(url), createLogger({ name: 'test', level: 'silent' }));
    expect(await lookup?.(1, never)).toEqual({ avro: '"int"' });
  });

  it('is there once it answers as a registry, and not when something else does', async () => {
    const { url } = await registryThat([503, {}], [200, ['AVRO']]);
    await open(url).check(never);
    const other = await registryThat([404, 'not here']);
    await expect(open(other.url).check(never)).rejects.toMatchObject({ code: 'TW1563' });
  });
});
