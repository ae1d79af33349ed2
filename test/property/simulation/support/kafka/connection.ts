// A connection of a client to a broker: bytes arrive in order and some time later, one request is answered before the next is looked at; it may be reset, or fall silent.
import type { Random } from '../random.js';
import type { Process, VirtualTime } from '../virtual-time.js';
import type { SimulatedBroker } from './broker.js';

interface Asked {
  readonly resolve: (bytes: Buffer) => void;
  readonly reject: (error: Error) => void;
}

interface Received {
  readonly id: number;
  readonly apiKey: number;
  readonly version: number;
  readonly body: Buffer;
}

/** kafkajs's own, until the socket is there and the broker has told what it knows. */
const CONNECT_MS = 5_000;

const lost = (message: string, name: string): Error => Object.assign(new Error(message), { name, retriable: true });

export interface Network {
  readonly time: VirtualTime;
  readonly random: Random;
  readonly brokers: readonly SimulatedBroker[];
  /** Those that are open. */
  readonly open: Set<Connection>;
  /** How many of the answers to a fetch, from 0 to 1, are on their way for long. */
  readonly lateFetches: number;
}

const FETCH = 1;
const LATE_MS = [200, 1_500] as const;

export class Connection {
  readonly client: Process;
  readonly broker: SimulatedBroker;
  /** Nothing arrives any more, in either direction, and nobody is told. */
  isSilent = false;
  /** So many times slower than others. */
  slowness = 1;
  readonly socket = { destroy: () => this.close() };
  readonly #network: Network;
  readonly #asked = new Map<number, Asked>();
  readonly #received: Received[] = [];
  #isOpen = false;
  #isBusy = false;
  /** Grows with each opening: what belongs to an earlier one counts no more. */
  #life = 0;
  #ids = 0;
  #arrivesMs = 0;
  #answeredMs = 0;

  constructor(network: Network, client: Process, broker: SimulatedBroker) {
    this.#network = network;
    this.client = client;
    this.broker = broker;
  }

  isConnected(): boolean {
    return this.#isOpen;
  }

  async connect(): Promise<void> {
    const { time, random, open } = this.#network;
    const { node } = this.broker;
    const life = ++this.#life;
    await new Promise<void>((resolve, reject) => {
      const refuse = () => reject(lost('Connection refused', 'KafkaJSConnectionError'));
      time.after(CONNECT_MS, this.client, refuse);
      time.after(random.delay(), this.client, () => {
        if (!node.isUp) return refuse();
        time.after(random.delay(), node.process, () => time.after(random.delay(), this.client, resolve));
      });
    });
    if (life !== this.#life || !node.isUp) throw lost('The connection was ended', 'KafkaJSConnectionClosedError');
    this.isSilent = false;
    this.slowness = 1;
    this.#isOpen = true;
    this.#isBusy = false;
    this.#received.length = 0;
    open.add(this);
  }

  request(apiKey: number, version: number, body: Buffer): Promise<Buffer> {
    if (!this.#isOpen) return Promise.reject(lost('Not connected', 'KafkaJSConnectionClosedError'));
    const { time } = this.#network;
    const id = ++this.#ids;
    const life = this.#life;
    this.#arrivesMs = Math.max(this.#arrivesMs, time.nowMs + this.#delay());
    time.after(this.#arrivesMs - time.nowMs, this.broker.node.process, () => {
      if (life !== this.#life || this.isSilent) return;
      this.#received.push({ id, apiKey, version, body });
      this.#next(life);
    });
    return new Promise((resolve, reject) => this.#asked.set(id, { resolve, reject }));
  }

  /** What is under way is given up. */
  rejectRequests(error: Error): void {
    for (const { reject } of this.#asked.values()) reject(error);
    this.#asked.clear();
  }

  /** By the client. What has arrived at the broker is done all the same. */
  close(): void {
    this.#isOpen = false;
    this.#network.open.delete(this);
    this.rejectRequests(lost('The connection was ended', 'KafkaJSConnectionClosedError'));
  }

  /** By the network, or the broker's end. */
  reset(): void {
    this.#network.open.delete(this);
    const life = this.#life;
    this.#network.time.after(this.#delay(), this.client, () => {
      if (life !== this.#life || !this.#isOpen) return;
      this.#life += 1;
      this.close();
    });
  }

  #next(life: number): void {
    if (this.#isBusy) return;
    const request = this.#received.shift();
    if (request === undefined) return;
    this.#isBusy = true;
    this.broker.handle(request.apiKey, request.version, request.body, this.client, (bytes) => {
      if (life !== this.#life) return;
      this.#isBusy = false;
      this.#answer(request, bytes, life);
      this.#next(life);
    });
  }

  #answer({ id, apiKey }: Received, bytes: Buffer, life: number): void {
    const { time, random, lateFetches } = this.#network;
    const isLate = apiKey === FETCH && random.chance(lateFetches);
    this.#answeredMs = Math.max(this.#answeredMs, time.nowMs + this.#delay() + (isLate ? random.between(...LATE_MS) : 0));
    time.after(this.#answeredMs - time.nowMs, this.client, () => {
      if (life !== this.#life || this.isSilent) return;
      this.#asked.get(id)?.resolve(bytes);
      this.#asked.delete(id);
    });
  }

  #delay(): number {
    return this.#network.random.delay() * this.slowness;
  }
}
