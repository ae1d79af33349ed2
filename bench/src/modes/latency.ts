// From the write in the source to the document in the target, at a gentle rate: the pipeline's own delay.
import { setTimeout as sleep } from 'node:timers/promises';
import { formatCount, renderTable } from '@tailwater/runtime';
import { order } from '../measure/documents.js';
import { BenchStack } from './bench-stack.js';

const RATE = 200;
const SECONDS = 10;
/** Left out of the figures: connections and topics are made, code is compiled. */
const WARM_UP_SECONDS = 3;

export interface Latency {
  readonly rate: number;
  readonly events: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

export async function latency(): Promise<Latency> {
  await using stack = await BenchStack.start();
  const target = await stack.mongoTarget();
  await using _producer = await stack.producer('latency');
  await using _consumer = await stack.consumer('latency', ['--target', 'mongo', '--target-url', target.uri]);
  const written = new Map<string, number>();
  const latencies: number[] = [];
  const [source, copy] = await Promise.all([stack.source.client(), target.client()]);
  const orders = source.db('bench').collection('orders');
  const arrived = copy.db('bench').collection('orders');
  // The look for what has arrived must not be what the machine is busy with.
  await arrived.createIndex({ number: 1 });
  const total = RATE * (WARM_UP_SECONDS + SECONDS);
  const writing = (async () => {
    const startedAtMs = performance.now();
    for (let n = 0; n < total; n++) {
      const document = order(n);
      written.set(String(document['_id']), performance.now());
      await orders.insertOne(document);
      await sleep(Math.max(0, startedAtMs + ((n + 1) * 1000) / RATE - performance.now()));
    }
  })();
  let next = 0;
  while (next < total) {
    const found = await arrived.find({ number: { $gte: next } }, { projection: { number: 1 }, sort: { number: 1 } }).toArray();
    const seenAtMs = performance.now();
    // A document that overtook an earlier one waits for it here: the figures are those of whoever needs both.
    for (const document of found) {
      if (document['number'] !== next) break;
      next += 1;
      if (next > RATE * WARM_UP_SECONDS) latencies.push(seenAtMs - (written.get(String(document._id)) ?? seenAtMs));
    }
    await sleep(1);
  }
  await writing;
  latencies.sort((left, right) => left - right);
  const at = (share: number): number => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0;
  return { rate: RATE, events: latencies.length, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) };
}

export function renderLatency({ rate, events, p50Ms, p99Ms, maxMs }: Latency): string {
  const row = [`${rate}/s`, formatCount(events), `${p50Ms.toFixed(0)} ms`, `${p99Ms.toFixed(0)} ms`, `${maxMs.toFixed(0)} ms`];
  return `${renderTable(['latency, source to MongoDB target', 'events', 'p50', 'p99', 'max'], [row])}\n`;
}
