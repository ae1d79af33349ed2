// Whatever server is dead or frozen: both processes say how they are at once, and end within --shutdown-timeout when they are told to. One stack for all
// cases; a server that was frozen goes on afterwards, one that was killed is started again where a later case needs it.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
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
import { expectFiring, findPromtool } from '#test/support/promtool.js';

const SHUTDOWN_S = 3;
/** What a busy machine may take beside it: the last words of the log, and the end of the process. */
const GRACE_MS = 5_000;
/** A status that waits for a server takes as long as that server's time limits: many seconds. */
const AT_ONCE_MS = 2_000;

const binOf = (kind: string): string => fileURLToPath(new URL(`../../packages/${kind}/bin/${kind}.js`, import.meta.url));

interface Status {
  readonly lag?: number | null;
  readonly phase?: string;
  readonly snapshot?: { readonly totals: { readonly state: string } } | null;
}

class Command {
  readonly name: string;
  readonly #kind: 'producer' | 'consumer';
  readonly args: readonly string[];
  #child: ChildProcess | undefined;
  #port = 0;

  constructor(name: string, kind: 'producer' | 'consumer', args: readonly string[]) {
    this.name = name;
    this.#kind = kind;
    this.args = args;
  }

  /** Resolves when it answers; nothing happens while it runs. */
  async start(): Promise<void> {
    if (this.#child !== undefined) return;
    await this.spawn();
    await waitFor(() => this.status(), {
      describe: (last) => `${this.name} to be in step, not ${JSON.stringify(last)}`,
      until: ({ lag, phase }) => (this.#kind === 'consumer' ? lag === 0 : phase !== undefined),
      timeoutMs: 60_000,
    });
  }

  async spawn(): Promise<void> {
    this.#port = await freePort();
    const more = ['--shutdown-timeout', String(SHUTDOWN_S), '--status-port', String(this.#port), '--log-level', 'error'];
    this.#child = spawn(process.execPath, [binOf(this.#kind), 'start', ...this.args, ...more], { stdio: 'ignore' });
  }

  async status(): Promise<Status> {
    return (await fetch(`http://127.0.0.1:${this.#port}/status`)).json() as Promise<Status>;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
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

  async metrics(): Promise<string> {
    return (await fetch(`http://127.0.0.1:${this.#port}/metrics`)).text();
  }

  /** Why it is not ready; undefined while it is. */
  async unready(): Promise<string | undefined> {
    const answer = await fetch(`http://127.0.0.1:${this.#port}/readyz`);
    const { reasons } = (await answer.json()) as { readonly reasons: readonly string[] };
    return answer.ok ? undefined : reasons.join('; ');
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

/** A server that hangs, as it is seen from outside. */
class SilentServer {
  /** Somebody has connected. */
  readonly asked: Promise<unknown>;
  readonly #server: Server;
  readonly #sockets: Socket[] = [];

  private constructor(server: Server) {
    this.#server = server;
    this.asked = once(server, 'connection');
    server.on('connection', (socket) => {
      this.#sockets.push(socket);
      socket.on('error', () => {});
    });
  }

  static async start(): Promise<SilentServer> {
    const server = createServer();
    const silent = new SilentServer(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return silent;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}

const promtool = await findPromtool();
/** The registry needs it; everything else is tested without. */
const hasRegistry = await hasJdk(21);

describe('with a server that is dead or frozen', () => {
  let servers: {
    readonly mongo: Mongo;
    readonly kafka: Kafka;
    readonly es: Elasticsearch;
    readonly solr: Solr;
    readonly registry: Registry | undefined;
  };
  let commands: Readonly<Record<'producer' | 'mongo' | 'es' | 'solr', Command>>;
  /** Of one more consumer into MongoDB. */
  let memberArgs: (more: readonly string[]) => readonly string[];
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
      hasRegistry ? startRegistry() : undefined,
    ]);
    servers = { mongo, kafka, es, solr, registry };
    await solr.create('shop');
    const registered = registry === undefined ? [] : ['--schema-registry', registry.url];
    const common = ['--kafka', kafka.brokers.join(','), '--prefix', 'tw', '--include', 'shop.*', ...registered];
    const soon = ['--session-timeout', '6'];
    const consumer = (name: string, url: string, ...more: string[]) =>
      new Command(name, 'consumer', ['--target', name, '--target-url', url, ...common, ...soon, ...more]);
    memberArgs = (more) => ['--target', 'mongo', '--target-url', mongo.uri, '--rename', 'shop.*=joined.*', ...common, ...more];
    commands = {
      producer: new Command('producer', 'producer', ['--mongo', mongo.uri, ...common, ...soon]),
      mongo: consumer('mongo', mongo.uri, '--rename', 'shop.*=copy.*'),
      es: consumer('es', es.url),
      solr: consumer('solr', `${solr.url}/shop`),
    };
    await write();
  });

  afterAll(async () => {
    await Promise.all(Object.values(commands ?? {}).map((command) => command.end('SIGKILL')));
    await Promise.all(Object.values(servers ?? {}).map((server) => server?.stop()));
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

  /** What `/readyz` has to tell while a server is away, though nothing may be sent to it. */
  const UNREADY: Readonly<Partial<Record<keyof typeof servers, RegExp>>> = {
    kafka: /^Kafka at .* has not answered for \d+ s/,
    mongo: /MongoDB .*(cannot be read|does not take|not answered)|The target at/,
    es: /^The target at .* has not answered for \d+ s|^TW1301/,
    solr: /^The target at .* has not answered for \d+ s|^TW1301/,
  };

  async function expectAnswersAndEnds(server: keyof typeof servers, affected: readonly (keyof typeof commands)[]): Promise<void> {
    const chosen = affected.map((name) => commands[name]);
    const reason = UNREADY[server];
    if (reason !== undefined) {
      const began = performance.now();
      const expectUnready = (command: Command) =>
        waitFor(() => command.unready(), {
          describe: (last) => `${command.name} to be unready for ${server}, not ${last}`,
          until: (told) => told !== undefined && reason.test(told),
          timeoutMs: 60_000,
        });
      const told = await Promise.all(chosen.map(expectUnready));
      // A refused connection makes a process unready before the server counts as away.
      const scrape = async (command: Command) => {
        const isAway = (text: string): boolean => /^tailwater_up\{.*\} 0$/m.test(text);
        const text = await waitFor(() => command.metrics(), { describe: `${server} to be away for ${command.name}`, until: isAway });
        return [command.name, text] as const;
      };
      const scrapes = await Promise.all(chosen.map(scrape));
      const alerts = ['TailwaterNotReady', 'TailwaterServerDown'];
      if (promtool !== undefined) await expectFiring(promtool, Object.fromEntries(scrapes), alerts);
      if (process.env['SHOW_FIGURES'] !== undefined) console.log(server, Math.round(performance.now() - began), told);
    }
    const answers = await Promise.all(chosen.map(async (command) => [command.name, await command.answers()] as const));
    expect(answers.filter(([, ms]) => ms > AT_ONCE_MS)).toEqual([]);
    const ends = await Promise.all(
      chosen.map(async (command, index) => [command.name, await command.end(index % 2 === 0 ? 'SIGTERM' : 'SIGINT')] as const),
    );
    // 75: what was under way did not finish in time.
    expect(ends.filter(([, { ms, code }]) => ms > SHUTDOWN_S * 1000 + GRACE_MS || (code !== 0 && code !== 75))).toEqual([]);
  }

  const thatRun = (cases: readonly Case[]): readonly Case[] => cases.filter(([, server]) => server !== 'registry' || hasRegistry);
  const serverOf = (name: keyof typeof servers) => servers[name] as Mongo;

  test.each(thatRun(FROZEN))('%s frozen: they answer at once, and end in time', async (_, name, affected) => {
    // The topics are the producer's to make.
    await commands.producer.start();
    await Promise.all(affected.map((each) => commands[each].start()));
    const server = serverOf(name);
    await server.pause();
    try {
      if (name !== 'mongo') await write();
      await expectAnswersAndEnds(name, affected);
    } finally {
      await server.resume();
    }
  });

  const expectInTime = ({ ms, code }: { readonly ms: number; readonly code: number | null }): void =>
    expect({ inTime: ms < SHUTDOWN_S * 1000 + GRACE_MS, code }).toEqual({ inTime: true, code: expect.toBeOneOf([0, 75]) });

  test('at work: a copy and a join end in time', async () => {
    await commands.producer.start();
    const busy = (await servers.mongo.client()).db('busy').collection<{ _id: number }>('items');
    await busy.insertMany(Array.from({ length: 3_000 }, (_, _id) => ({ _id })));
    const args = [
      '--mongo',
      servers.mongo.uri,
      '--kafka',
      servers.kafka.brokers.join(','),
      '--prefix',
      'busy',
      '--include',
      'busy.*',
      '--snapshot-rate',
      '100',
    ];
    const copying = new Command('a copy', 'producer', args);
    // What is frozen stays a member until it has been silent for this long, and keeps those who join waiting.
    const member = memberArgs(['--name', 'joined', '--session-timeout', '45']);
    const [holding, joining] = ['a member', 'a join'].map((name) => new Command(name, 'consumer', member)) as [Command, Command];
    try {
      await copying.spawn();
      await waitFor(() => copying.status(), {
        describe: 'a copy',
        until: ({ snapshot }) => snapshot?.totals.state === 'running',
        timeoutMs: 60_000,
      });
      expectInTime(await copying.end('SIGTERM'));
      await holding.start();
      process.kill(holding.pid, 'SIGSTOP');
      await joining.spawn();
      await servers.kafka.withAdmin(async (admin) => {
        await admin.listTopics();
        await waitFor(async () => (await admin.describeGroups(['tw.joined'])).groups[0]?.state, {
          describe: (state) => `the members to be asked to join anew, not ${state}`,
          until: (state) => state === 'PreparingRebalance',
          timeoutMs: 60_000,
        });
      });
      expectInTime(await joining.end('SIGINT'));
    } finally {
      await Promise.all([copying, holding, joining].map((command) => command.end('SIGKILL')));
    }
  });

  test('connecting to what takes connections and says nothing: they end in time, and it is no failure', async () => {
    const { kafka, mongo } = servers;
    const silent = await Promise.all(Array.from({ length: 6 }, () => SilentServer.start()));
    const [forSource, forBroker, forBrokers, forEs, forSolr, forTarget] = silent.map(({ port }) => port);
    const brokers = ['--kafka', kafka.brokers.join(',')];
    const connecting = [
      new Command('producer: MongoDB', 'producer', ['--mongo', `mongodb://127.0.0.1:${forSource}/`, ...brokers]),
      new Command('producer: Kafka', 'producer', ['--mongo', mongo.uri, '--kafka', `127.0.0.1:${forBroker}`]),
      new Command('consumer: Kafka', 'consumer', ['--target', 'mongo', '--target-url', mongo.uri, '--kafka', `127.0.0.1:${forBrokers}`]),
      new Command('consumer: Elasticsearch', 'consumer', ['--target', 'es', '--target-url', `http://127.0.0.1:${forEs}`, ...brokers]),
      new Command('consumer: Solr', 'consumer', ['--target', 'solr', '--target-url', `http://127.0.0.1:${forSolr}/solr`, ...brokers]),
      new Command('consumer: MongoDB', 'consumer', ['--target', 'mongo', '--target-url', `mongodb://127.0.0.1:${forTarget}/`, ...brokers]),
    ];
    try {
      await Promise.all(connecting.map((command) => command.spawn()));
      await Promise.all(silent.map(({ asked }) => asked));
      const ends = await Promise.all(connecting.map(async (command) => [command.name, await command.end('SIGTERM')] as const));
      expect(ends.filter(([, { ms, code }]) => ms > SHUTDOWN_S * 1000 + GRACE_MS || (code !== 0 && code !== 75))).toEqual([]);
    } finally {
      await Promise.all(connecting.map((command) => command.end('SIGKILL')));
      for (const server of silent) server.close();
    }
  });

  test.each(thatRun(KILLED))('%s dead: they answer at once, and end in time', async (_, name, affected) => {
    await commands.producer.start();
    await Promise.all(affected.map((each) => commands[each].start()));
    const server = serverOf(name);
    await server.kill9();
    if (name !== 'mongo') await write();
    await expectAnswersAndEnds(name, affected);
    // Who comes next needs these; Kafka is the last.
    if (name === 'registry' || name === 'mongo') await server.start();
  });
});
