// Connections to brokers, and requests over them. kafkajs opens, secures and authenticates them; which broker is asked what, for how long an answer is
// waited for, and what an answer means is decided here.
import { errorCodes } from '../../errors/catalogue.js';
import { TailwaterError } from '../../errors/tailwater-error.js';
import type { RequestTimes } from '../../metrics/request-times.js';
import type { KafkaClient } from '../create-kafka.js';
import { createCluster } from '../kafkajs-cluster.js';
import { BrokerRefusal } from './error-codes.js';
import { WireReader, WireWriter } from './wire.js';

/** One request of the protocol, in one version. */
export interface BrokerRequest<T> {
  readonly name: string;
  readonly apiKey: number;
  readonly version: number;
  /** The versions with compact types and tagged fields: https://cwiki.apache.org/confluence/display/KAFKA/KIP-482 */
  readonly flexible?: boolean;
  /** How long, in milliseconds, the broker itself may take. */
  readonly waitMs?: number;
  write(to: WireWriter): void;
  /** Instead of `write`, a body in a buffer of the caller. It is copied before the next request to the same broker is written. */
  readonly body?: () => Buffer;
  read(from: WireReader): T | Promise<T>;
}

export interface BrokerAddress {
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
  readonly rack: string | null;
}

/** How long an answer may take beyond what the request lets the broker wait. */
const ANSWER_MS = 10_000;
/** How long connecting may take, with what is asked and proved before the first request. */
const CONNECT_MS = 20_000;

/** What is used of kafkajs's connection, broker and pool; its types mention none of it. */
interface Connection {
  readonly socket?: { destroy(): void };
  isConnected(): boolean;
  connect(): Promise<unknown>;
  send(protocol: object): Promise<unknown>;
  rejectRequests(error: Error): void;
}
interface ConnectionPool {
  readonly host: string;
  readonly port: number;
  readonly pool: readonly Connection[];
  getConnection(index?: number): Promise<Connection>;
  send(protocol: object): Promise<unknown>;
}
interface KafkajsBroker {
  readonly connectionPool: ConnectionPool;
  readonly versions: Readonly<Record<number, { readonly minVersion: number; readonly maxVersion: number }>> | null;
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  isConnected(): boolean;
}
interface KafkajsCluster {
  readonly rootLogger: unknown;
  readonly connectionPoolBuilder: { build(address?: object): Promise<ConnectionPool> };
  readonly brokerPool: { createBroker(options: object): KafkajsBroker };
}

/** Settles as `work` does, or rejects when that takes longer. */
async function within<T>(ms: number, work: Promise<T>, late: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), ms);
  });
  work.catch(() => undefined);
  try {
    return await Promise.race([work, tooLate]);
  } finally {
    clearTimeout(timer);
  }
}

/** A broker that did not answer in time: whether it did what it was asked is not known. */
class NoAnswerError extends Error {
  override readonly name = 'KafkaJSRequestTimeoutError';
  readonly retriable = true;

  constructor(request: string, broker: string, ms: number) {
    super(`${broker} did not answer ${request} within ${Math.round(ms / 1000)} s`);
  }
}

export class Broker {
  /** Undefined of one that only its address is known of. */
  readonly nodeId: number | undefined;
  readonly #broker: KafkajsBroker;
  readonly #onLost: (broker: Broker, isSilent: boolean) => void;
  readonly #times: RequestTimes;
  #underWay = 0;

  /** @param onLost is called when a connection failed, or an answer did not come */
  constructor(broker: KafkajsBroker, nodeId: number | undefined, times: RequestTimes, onLost: (broker: Broker, isSilent: boolean) => void) {
    this.nodeId = nodeId;
    this.#broker = broker;
    this.#times = times;
    this.#onLost = onLost;
    shareConnecting(broker.connectionPool);
  }

  get address(): string {
    const { host, port } = this.#broker.connectionPool;
    return `${host}:${port}`;
  }

  /** Whether no answer is waited for. */
  get isIdle(): boolean {
    return this.#underWay === 0;
  }

  connect(): Promise<void> {
    return within(CONNECT_MS, this.#broker.connect(), () => new NoAnswerError('a connection', this.address, CONNECT_MS));
  }

  /** Whether the broker knows a version of a request. */
  takes(apiKey: number, version: number): boolean {
    const range = this.#broker.versions?.[apiKey];
    return range !== undefined && range.minVersion <= version && version <= range.maxVersion;
  }

  /**
   * @throws TailwaterError TW1213 when the broker knows no such request, {@link NoAnswerError}, what the answer says, or kafkajs's errors of connections
   */
  async send<T>(request: BrokerRequest<T>): Promise<T> {
    const { name, apiKey, version, flexible = false, waitMs = 0 } = request;
    if (!this.takes(apiKey, version))
      throw new TailwaterError(errorCodes.KAFKA_TOO_OLD, { brokers: this.address, feature: `${name} version ${version}` });
    const limitMs = waitMs + ANSWER_MS;
    const protocol = {
      request: {
        apiKey,
        apiVersion: version,
        apiName: name,
        encode: async () => {
          const body = request.body?.();
          if (body !== undefined) return { buf: body, buffer: body };
          const to = new WireWriter();
          // The header's tagged fields, which kafkajs does not know: it writes headers of an older form.
          if (flexible) to.noTags();
          request.write(to);
          return { buf: to.bytes, buffer: to.bytes };
        },
      },
      response: {
        decode: async (buffer: Buffer) => {
          const from = new WireReader(buffer);
          if (flexible) from.skipTags();
          return { answer: await request.read(from) };
        },
        parse: async (decoded: unknown) => decoded,
      },
      requestTimeout: limitMs,
      logResponseError: false,
    };
    this.#underWay += 1;
    const beganMs = performance.now();
    const sent = this.#broker.connectionPool.send(protocol) as Promise<{ readonly answer: T }>;
    try {
      const { answer } = await within(limitMs, sent, () => new NoAnswerError(name, this.address, limitMs));
      this.#times.answered(name, (performance.now() - beganMs) / 1000);
      return answer;
    } catch (error) {
      if (!(error instanceof BrokerRefusal)) this.#onLost(this, error instanceof NoAnswerError);
      throw error;
    } finally {
      this.#underWay -= 1;
    }
  }

  /** Ends the connections at once, whatever is under way: kafkajs would wait for the answers. */
  destroy(): void {
    for (const connection of this.#broker.connectionPool.pool) {
      connection.rejectRequests(
        Object.assign(new Error('The connection was ended'), { name: 'KafkaJSConnectionClosedError', retriable: true }),
      );
      connection.socket?.destroy();
    }
    this.#broker.disconnect().catch(() => undefined);
  }
}

/** Two requests that find a connection closed would open it twice, and one of the two would be forgotten and stay open. */
function shareConnecting(pool: ConnectionPool): void {
  const connecting = new Map<Connection, Promise<unknown>>();
  pool.getConnection = async (index = 0) => {
    const connection = pool.pool[index] as Connection;
    if (connection.isConnected()) return connection;
    const under = connecting.get(connection) ?? connection.connect().finally(() => connecting.delete(connection));
    connecting.set(connection, under);
    await under;
    return connection;
  };
}

/** The brokers of a cluster, each with its connections. */
export class BrokerConnections {
  readonly #cluster: KafkajsCluster;
  readonly #times: RequestTimes;
  readonly #addresses = new Map<number, BrokerAddress>();
  readonly #brokers = new Map<number, Broker>();
  #seed: Broker | undefined;
  #turn = 0;
  #isClosed = false;

  constructor(kafka: KafkaClient) {
    this.#cluster = createCluster(kafka) as unknown as KafkajsCluster;
    this.#times = kafka.times;
  }

  /** Whether metadata named brokers. */
  get areKnown(): boolean {
    return this.#addresses.size > 0;
  }

  /** A broker that is connected, of those that are known or else of those that were given; another one each time, and who asks in a rhythm does not always meet the same. */
  async any(): Promise<Broker> {
    const known = [...this.#addresses.keys()];
    this.#turn += known.length > 2 && Math.random() < 0.5 ? 2 : 1;
    for (let tried = 0; tried < known.length; tried += 1) {
      const nodeId = known[(this.#turn + tried) % known.length] as number;
      try {
        return await this.node(nodeId);
      } catch {
        // The next one may be there.
      }
    }
    const seed = this.#seed ?? this.#create(await this.#cluster.connectionPoolBuilder.build());
    this.#seed = seed;
    try {
      await seed.connect();
    } catch (error) {
      this.drop(seed); // The next call tries the next address.
      throw error;
    }
    return seed;
  }

  /**
   * One that is connected and is not this one, unless there is no other; any of the others: one alone that knows less is not asked each time.
   *
   * @throws kafkajs's errors of connections when the others are away
   */
  async otherThan(nodeId: number): Promise<Broker> {
    const others = [...this.#addresses.keys()].filter((known) => known !== nodeId);
    const first = Math.floor(Math.random() * others.length);
    let failure: unknown;
    for (let tried = 0; tried < others.length; tried += 1) {
      try {
        return await this.node(others[(first + tried) % others.length] as number);
      } catch (error) {
        failure = error;
      }
    }
    if (failure !== undefined) throw failure;
    return this.node(nodeId);
  }

  /** @throws kafkajs's errors of connections; an error with the name KafkaJSBrokerNotFound when no metadata named it */
  async node(nodeId: number): Promise<Broker> {
    const address = this.#addresses.get(nodeId);
    if (address === undefined) {
      throw Object.assign(new Error(`Broker ${nodeId} is not known`), { name: 'KafkaJSBrokerNotFound', retriable: true });
    }
    let broker = this.#brokers.get(nodeId);
    if (broker === undefined) {
      const { host, port, rack } = address;
      broker = this.#create(await this.#cluster.connectionPoolBuilder.build({ host, port, rack }), nodeId);
      // Another call may have been as fast.
      broker = this.#brokers.get(nodeId) ?? broker;
      this.#brokers.set(nodeId, broker);
    }
    try {
      await broker.connect();
    } catch (error) {
      this.drop(broker);
      throw error;
    }
    return broker;
  }

  /** The brokers that there are now; those that have gone are disconnected. */
  learn(addresses: readonly BrokerAddress[]): void {
    if (addresses.length === 0) return;
    const now = new Set(addresses.map(({ nodeId }) => nodeId));
    for (const nodeId of this.#addresses.keys()) if (!now.has(nodeId)) this.#forget(nodeId);
    for (const address of addresses) this.know(address);
  }

  /** Where a broker is now. */
  know(address: BrokerAddress): void {
    const { nodeId, host, port } = address;
    const before = this.#addresses.get(nodeId);
    if (before !== undefined && (before.host !== host || before.port !== port)) this.#forget(nodeId);
    this.#addresses.set(nodeId, address);
  }

  /** Nothing is connected any more, nor will be by earlier calls. */
  close(): void {
    this.#isClosed = true;
    for (const broker of this.#brokers.values()) broker.destroy();
    this.#seed?.destroy();
    this.#brokers.clear();
    this.#seed = undefined;
  }

  /** After an error of a connection, or an answer that did not come: what it was asked is given up, and the next request connects anew. */
  drop(broker: Broker): void {
    for (const [nodeId, each] of this.#brokers) if (each === broker) this.#brokers.delete(nodeId);
    if (this.#seed === broker) this.#seed = undefined;
    broker.destroy();
  }

  /** What took one connection away without a sign, a firewall mostly, took others too: connecting anew costs less than to wait for the answers of each in turn. */
  dropIdle(): void {
    for (const broker of [...this.#brokers.values()]) if (broker.isIdle) this.drop(broker);
  }

  #forget(nodeId: number): void {
    this.#brokers.get(nodeId)?.destroy();
    this.#brokers.delete(nodeId);
    this.#addresses.delete(nodeId);
  }

  #create(connectionPool: ConnectionPool, nodeId?: number): Broker {
    if (this.#isClosed)
      throw Object.assign(new Error('The connections were closed'), { name: 'KafkaJSConnectionClosedError', retriable: true });
    const { brokerPool, rootLogger } = this.#cluster;
    const broker = brokerPool.createBroker({ connectionPool, logger: rootLogger, ...(nodeId === undefined ? {} : { nodeId }) });
    return new Broker(broker, nodeId, this.#times, (lost, isSilent) => {
      this.drop(lost);
      if (isSilent) this.dropIdle();
    });
  }
}
