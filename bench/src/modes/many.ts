// Many small collections on three brokers with the settings that people run: a first start, and a start when all of them are there. What counts beside the seconds is
// whose processor time they are: most of it is the brokers', which keep three replicas of every partition.
import { loadavg } from 'node:os';
import { startKafkaCluster, startMongo } from '@tailwater/devstack';
import { formatBytes, renderTable } from '@tailwater/runtime';
import { peakMemory, processorSeconds, since } from '../measure/processor-time.js';
import { PARTITIONS } from './bench-stack.js';
import { ManyWorld } from './many-world.js';

const DOCUMENTS = 20;

export interface Many {
  readonly collections: number;
  readonly partitions: number;
  /** Of the machine before the first start: others may have been at work. */
  readonly load: number;
  /** Since the first start, in seconds. */
  readonly first: { readonly topicsMade: number; readonly published: number; readonly applied: number };
  /** Until everything was applied. */
  readonly transactions: number;
  readonly rebalances: number;
  /** Since the second start, in seconds: until either says that it is ready, and until what was written then is in the target. */
  readonly restart: { readonly producer: number; readonly consumer: number; readonly firstWrite: number };
  /** In the logs of both commands, over both starts. */
  readonly warnings: number;
  /** Seconds by process, of the first start and of the second. */
  readonly processor: { readonly first: Readonly<Record<string, number>>; readonly restart: Readonly<Record<string, number>> };
  readonly peakRssBytes: Readonly<Record<string, number>>;
}

export async function many(collections: number): Promise<Many> {
  await using kafka = await startKafkaCluster();
  await using source = await startMongo({ oplogSizeMb: 990 });
  await using target = await startMongo({ members: 0 });
  await using world = new ManyWorld({ kafka, source, target }, collections, DOCUMENTS);
  await world.fill();
  const load = loadavg()[0] as number;
  const begun = await processorSeconds(world.watched);
  const startedAtMs = performance.now();
  const seconds = (): number => (performance.now() - startedAtMs) / 1000;
  await world.start();
  const [topicsMade, published, applied] = await Promise.all([
    world.topicsMade().then(seconds),
    world.published().then(seconds),
    world.applied().then(seconds),
  ]);
  const first = since(begun, await processorSeconds(world.watched));
  const { transactions, rebalances } = await world.counts();
  const peaks = await peakMemory(world.watched);
  await world.stop();
  const stopped = await processorSeconds(world.watched);
  const restart = await world.restart();
  const second = since(stopped, await processorSeconds(world.watched));
  return {
    collections,
    partitions: PARTITIONS,
    load,
    first: { topicsMade, published, applied },
    transactions,
    rebalances,
    restart,
    warnings: await world.warnings(),
    processor: { first, restart: second },
    peakRssBytes: larger(peaks, await peakMemory(world.watched)),
  };
}

const larger = (a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>): Record<string, number> =>
  Object.fromEntries(Object.entries(a).map(([name, value]) => [name, Math.max(value, b[name] ?? 0)]));

export function renderMany(run: Many): string {
  const { first, restart, processor, peakRssBytes } = run;
  const s = (value: number | undefined): string => `${(value ?? 0).toFixed(1)} s`;
  const times = renderTable(
    [`${run.collections} collections x ${run.partitions}`, 'first start', 'restart', ''],
    [
      ['topics made', s(first.topicsMade), 'producer ready', s(restart.producer)],
      ['snapshot published', s(first.published), 'consumer ready', s(restart.consumer)],
      ['everything applied', s(first.applied), 'first write applied', s(restart.firstWrite)],
    ],
  );
  const processes = renderTable(
    ['processor time', 'first start', 'restart', 'peak memory'],
    Object.keys(processor.first).map((name) => [
      name,
      s(processor.first[name]),
      s(processor.restart[name]),
      formatBytes(peakRssBytes[name] ?? 0),
    ]),
  );
  const counts = `transactions ${run.transactions}, rebalances ${run.rebalances}, warnings ${run.warnings}, load before ${run.load.toFixed(1)}`;
  return `${times}\n${processes}\n${counts}\n\n`;
}
