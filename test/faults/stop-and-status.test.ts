// Whatever server is dead or frozen: both processes say how they are at once, and end within --shutdown-timeout when they are told to. One stack for all
// cases; a server that was frozen goes on afterwards, one that was killed is started again where a later case needs it.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import {
  type Elasticsearch,
  freePort,
  hasJdk,
  type Kafka,
  type Mongo,
  type Registry,
  type Solr,
  startElasticsearch,
  startKafka,
  startMongo,
  startRegistry,
  startSolr,
  waitFor,
} from '@tailwater/devstack';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const SHUTDOWN_S = 3;
/** What a busy machine may take beside it: the last words of the log, and the end of the process. */
const GRACE_MS = 2_500;
/** A status that waits for a server takes as long as that server's time limits: many seconds. */
const AT_ONCE_MS = 2_000;

const binOf = (kind: string): string => fileURLToPath(new URL(`../../packages/${kind}/bin/${kind}.js`, import.meta.url));

class Command {
  readonly name: string;
  readonly #kind: 'producer' | 'consumer';
  readonly #args: readonly string[];
  #child: ChildProcess | undefined;
  #port = 0;

  constructor(name: string, kind: 'producer' | 'consumer', args: readonly string[]) {
    this.name = name;
    this.#kind = kind;
    this.#args = args;
  }

  /** Resolves when it answers; nothing happens while it runs. */
  async start(): Promise<void> {
    if (this.#child !== undefined) return;
    this.#port = await freePort();
    const more = ['--shutdown-timeout', String(SHUTDOWN_S), '--status-port', String(this.#port), '--log-level', 'error'];
    this.#child = spawn(process.execPath, [binOf(this.#kind), 'start', ...this.#args, ...more], { stdio: 'ignore' });
    await waitFor(() => this.status(), {
      describe: (last) => `${this.name} to be in step, not ${JSON.stringify(last)}`,
      until: ({ lag, phase }) => (this.#kind === 'consumer' ? lag === 0 : phase !== undefined),
      timeoutMs: 60_000,
    });
  }

  async status(): Promise<{ lag?: number | null; phase?: string }> {
    return (await fetch(`http://127.0.0.1:${this.#port}/status`)).json() as Promise<{ lag?: number | null; phase?: string }>;
  }

  /** How long, in milliseconds, the slowest of its answers took. */
  async answers(): Promise<number> {
    const times = await Promise.all(
      ['status', 'readyz', 'healthz', 'metrics'].map(async (path) => {
        const began = performance.now();
        await (await fetch(`http://127.0.0.1:${this.#port}/${path}`, { signal: AbortSignal.timeout(15_000) })).text();
        return performance.now() - began;
      }),
    );
    return Math.max(...times);
  }

  async end(signal: 'SIGTERM' | 'SIGINT' | 'SIGKILL'): Promise<{ ms: number; code: number | null }> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null) return { ms: 0, code: child?.exitCode ?? 0 };
    const began = performance.now();
    const ended = once(child, 'exit');
    child.kill(signal);
    const [code] = (await ended) as [number | null];
    return { ms: performance.now() - began, code };
  }
}

describe.runIf(await hasJdk(21))('with a server that is dead or frozen', () => {
  let servers: {
    readonly mongo: Mongo;
    readonly kafka: Kafka;
    readonly es: Elasticsearch;
    readonly solr: Solr;
    readonly registry: Registry;
  };
  let commands: Readonly<Record<'producer' | 'mongo' | 'es' | 'solr', Command>>;
  let written = 0;

  /** Also what keeps a target busy: a request that hangs. */
  async function write(): Promise<void> {
    const collection = (await servers.mongo.client()).db('shop').collection<{ _id: number }>('orders');
    await collection.insertMany(Array.from({ length: 20 }, (_, n) => ({ _id: written + n })));
    written += 20;
  }

  beforeAll(async () => {
    const [mongo, kafka, es, solr, registry] = await Promise.all([
      startMongo({}),
      startKafka(),
      startElasticsearch({}),
      startSolr({}),
      startRegistry(),
    ]);
    servers = { mongo, kafka, es, solr, registry };
    await solr.create('shop');
    const common = [
      '--kafka',
      kafka.brokers.join(','),
      '--prefix',
      'tw',
      '--include',
      'shop.*',
      '--schema-registry',
      registry.url,
      '--session-timeout',
      '6',
    ];
    const consumer = (name: string, url: string, ...more: string[]) =>
      new Command(name, 'consumer', ['--target', name, '--target-url', url, ...common, ...more]);
    commands = {
      producer: new Command('producer', 'producer', ['--mongo', mongo.uri, ...common]),
      mongo: consumer('mongo', mongo.uri, '--rename', 'shop.*=copy.*'),
      es: consumer('es', es.url),
      solr: consumer('solr', `${solr.url}/shop`),
    };
    await write();
  });

  afterAll(async () => {
    await Promise.all(Object.values(commands ?? {}).map((command) => command.end('SIGKILL')));
    await Promise.all(Object.values(servers ?? {}).map((server) => server.stop()));
  });

  type Case = readonly [what: string, server: keyof typeof servers, affected: readonly (keyof typeof commands)[]];
  const FROZEN: readonly Case[] = [
    ['Elasticsearch', 'es', ['es']],
    ['Solr', 'solr', ['solr']],
    ['the registry', 'registry', ['producer', 'mongo']],
    ['MongoDB', 'mongo', ['producer', 'mongo']],
    ['Kafka', 'kafka', ['producer', 'mongo', 'es', 'solr']],
  ];
  const KILLED: readonly Case[] = [
    ['Elasticsearch', 'es', ['es']],
    ['Solr', 'solr', ['solr']],
    ['the registry', 'registry', ['mongo']],
    ['MongoDB', 'mongo', ['producer']],
    ['Kafka', 'kafka', ['producer', 'mongo']],
  ];

  async function expectAnswersAndEnds(affected: readonly (keyof typeof commands)[]): Promise<void> {
    const chosen = affected.map((name) => commands[name]);
    const answers = await Promise.all(chosen.map(async (command) => [command.name, await command.answers()] as const));
    expect(answers.filter(([, ms]) => ms > AT_ONCE_MS)).toEqual([]);
    const ends = await Promise.all(
      chosen.map(async (command, index) => [command.name, await command.end(index % 2 === 0 ? 'SIGTERM' : 'SIGINT')] as const),
    );
    // 75: what was under way did not finish in time.
    expect(ends.filter(([, { ms, code }]) => ms > SHUTDOWN_S * 1000 + GRACE_MS || (code !== 0 && code !== 75))).toEqual([]);
  }

  test.each(FROZEN)('%s frozen: they answer at once, and end in time', async (_, name, affected) => {
    // The topics are the producer's to make.
    await commands.producer.start();
    await Promise.all(affected.map((each) => commands[each].start()));
    const server = servers[name];
    await server.pause();
    try {
      if (name !== 'mongo') await write();
      await expectAnswersAndEnds(affected);
    } finally {
      await server.resume();
    }
  });

  test.each(KILLED)('%s dead: they answer at once, and end in time', async (_, name, affected) => {
    await commands.producer.start();
    await Promise.all(affected.map((each) => commands[each].start()));
    const server = servers[name];
    await server.kill9();
    if (name !== 'mongo') await write();
    await expectAnswersAndEnds(affected);
    // Who comes next needs these; Kafka is the last.
    if (name === 'registry' || name === 'mongo') await server.start();
  });
});
