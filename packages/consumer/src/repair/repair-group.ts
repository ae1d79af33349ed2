// The repair of one group's target: what should be there by the topics, what is there, and the difference; then the group's commits
// say that it missed no deletes up to the moment at which the topics were read.
import { setMaxListeners } from 'node:events';
import { errorCodes, type KafkaClient, TailwaterError } from '@tailwater/runtime';
import { type Namespace, namespaceOfTopic, Position, type SchemaIds } from '@tailwater/schema';
import { formatCommitMetadata, parseCommitMetadata } from '../commit/freshness.js';
import { assertNoMembers } from '../subscribe/kafka-groups.js';
import { readToEnd } from '../subscribe/kafka-reader.js';
import { moveOffsets, planReplay } from '../subscribe/kafka-replay.js';
import { includedTopics } from '../subscribe/kafka-topics.js';
import type { Target } from '../targets/target.js';
import type { Transform } from '../transform/transform.js';
import { ExpectedDocuments, type Place } from './expected-documents.js';
import { IdSets } from './id-set.js';
import { bothOf, removeStaleDocuments, type StaleDocumentsReport } from './remove-stale-documents.js';

const OPERATION = 'a repair';
const NOTHING = Buffer.alloc(0);
/** The user's function refuses the id that it is tried with: that says nothing of the namespace. */
const FUNCTION_FAILED = errorCodes.TRANSFORM_FAILED;

export interface RepairRequest {
  readonly prefix: string;
  readonly group: string;
  /** Whether the consumer applies the namespace. */
  readonly includes: (namespace: Namespace) => boolean;
  /** Whether it is to be repaired, beside those that share its place. */
  readonly chosen: (namespace: Namespace) => boolean;
  readonly transform: Transform;
  /** Told which namespaces there are: those that clash have no place. */
  readonly know?: (namespaces: readonly Namespace[]) => void;
  readonly target: Target;
  readonly schemas: SchemaIds;
  readonly dryRun: boolean;
  readonly allowMost: boolean;
}

interface Source {
  readonly topic: string;
  readonly namespace: Namespace;
  readonly place: Place;
}

/** @throws TailwaterError TW1353 while a consumer of the group runs, TW1360 without topics, TW1391 and TW1392 when the target cannot be repaired so */
export async function repairGroup(kafka: KafkaClient, request: RepairRequest, signal: AbortSignal): Promise<StaleDocumentsReport[]> {
  const { group, dryRun } = request;
  // Removals listen to it, several at once: more than Node expects of one signal, and no leak.
  setMaxListeners(0, signal);
  const admin = kafka.admin();
  await admin.connect();
  try {
    const standsStill = () => assertNoMembers(admin, group, OPERATION);
    if (!dryRun) await standsStill();
    const ids = new IdSets();
    const sources = await sourcesOf(await admin.listTopics(), request, ids, signal);
    const topics = sources.map(({ topic }) => topic);
    const readAtMs = Date.now();
    const reports = new Map<Place, StaleDocumentsReport>();
    while (ids.next()) {
      await readLiving(kafka, sources, request, signal);
      for (const place of new Set(sources.map((source) => source.place))) {
        const report = await removeStaleDocuments(place, { ...request, assertNoMembers: standsStill, signal });
        const before = reports.get(place);
        reports.set(place, before === undefined ? report : bothOf(before, report));
      }
    }
    if (!dryRun) {
      const groupOffsets = await planReplay(admin, group, topics, { kind: 'offset', offset: Number.MAX_SAFE_INTEGER });
      const offsets = groupOffsets.flatMap(({ topic, partition, committed, metadata: before }) => {
        const metadata = formatCommitMetadata({ ...parseCommitMetadata(before), freshAtMs: readAtMs, missed: undefined });
        return committed === undefined ? [] : [{ topic, partition, offset: committed, metadata }];
      });
      if (offsets.length > 0) await moveOffsets(kafka, group, offsets, OPERATION);
    }
    return [...reports.values()];
  } finally {
    await admin.disconnect();
  }
}

/** Which documents of these places the topics have. */
async function readLiving(kafka: KafkaClient, sources: readonly Source[], request: RepairRequest, signal: AbortSignal): Promise<void> {
  const { transform, schemas } = request;
  const documents = new ExpectedDocuments({ transform, placeOf: placesOf(sources, transform), schemas, signal });
  const namespaces = new Map(sources.map(({ topic, namespace }) => [topic, namespace]));
  await readToEnd(kafka, { topics: sources.map(({ topic }) => topic), signal }, (record, { topic, partition }) =>
    documents.take(record, { topic, partition, namespace: namespaces.get(topic) as Namespace }),
  );
}

/** The topics of the places that were chosen: all that share one count, or what one of them has would look like too much. */
async function sourcesOf(all: readonly string[], request: RepairRequest, ids: IdSets, signal: AbortSignal): Promise<Source[]> {
  const { prefix, includes, chosen, transform, target } = request;
  if (target.inventory === undefined)
    throw new TailwaterError(errorCodes.INVENTORY_UNKNOWN, {
      target: target.kind,
      namespace: 'a namespace',
      reason: 'it cannot list documents',
    });
  const places = new Map<string, Place>();
  const sources: Source[] = [];
  const topics = includedTopics(all, { prefix, includes });
  request.know?.(topics.flatMap((topic) => namespaceOfTopic(prefix, topic) ?? []));
  for (const topic of topics) {
    const namespace = namespaceOfTopic(prefix, topic) as Namespace;
    const destination = destinationOf(namespace, transform);
    if (destination === undefined) continue;
    const inventory = await target.inventory(destination, signal);
    const place = places.get(inventory.place) ?? { inventory, expected: ids.create() };
    places.set(inventory.place, place);
    sources.push({ topic, namespace, place });
  }
  const wanted = new Set(sources.filter(({ namespace }) => chosen(namespace)).map(({ place }) => place));
  if (wanted.size === 0) throw new TailwaterError(errorCodes.NOTHING_TO_REPLAY, { prefix, namespaces: 'those that were chosen' });
  return sources.filter(({ place }) => wanted.has(place));
}

function placesOf(sources: readonly Source[], transform: Transform): (destination: Namespace) => Place | undefined {
  const places = new Map<Namespace | undefined, Place>(sources.map(({ namespace, place }) => [destinationOf(namespace, transform), place]));
  return (destination) => places.get(destination);
}

/** Where a namespace's documents go; always the same object. Undefined when it has no place at the target. */
function destinationOf(namespace: Namespace, transform: Transform): Namespace | undefined {
  const position = new Position(0, 0);
  const place = { topic: '', partition: 0, offset: 0, wallTimeMs: 0, origin: 'sweep', op: 'delete' } as const;
  const made = transform({ ...place, kind: 'delete', key: 'null', namespace, document: NOTHING, position });
  const hasPlace = made !== undefined && (made.refusal === undefined || made.refusal.code === FUNCTION_FAILED);
  return hasPlace ? made.namespace : undefined;
}
