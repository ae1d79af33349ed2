// Has a kafkajs client encode what it produces by our own writer. kafkajs makes several buffers and encoders for each record
// and copies a batch five times; half of what the producer's processor did was that, and most of its memory. Everything
// else (metadata, sequences, retries, transactions) stays kafkajs's. docs/adr/0009-record-batches.md
import { clusterFactory, type KafkaClient } from '@tailwater/runtime';
import type { Cluster, IHeaders, Message } from 'kafkajs';
import { rememberCoordinator } from './kafka-coordinator.js';
import { type ProducedTopic, ProduceRequestWriter } from './produce-request.js';

const PRODUCE = 0;
/** Their bodies are alike; older ones have message sets, newer ones compact arrays. */
const VERSIONS = { first: 3, last: 7 };

/** What kafkajs's broker gives to its encoder. */
interface ProduceParameters {
  readonly transactionalId?: string | null;
  readonly acks: number;
  readonly timeout: number;
  readonly producerId: { toString(): string };
  readonly producerEpoch: number;
  readonly compression: number;
  readonly topicData: readonly {
    readonly topic: string;
    readonly partitions: readonly { readonly partition: number; readonly firstSequence: number; readonly messages: readonly Message[] }[];
  }[];
}

interface Protocol {
  readonly request: { readonly apiVersion: number; encode(): Promise<unknown> };
}

type Lookup = (apiKey: number, definition: unknown) => (parameters: ProduceParameters) => Protocol;

/** What is used of kafkajs's broker; its types do not mention it. */
interface RequestingBroker {
  lookupRequest: Lookup;
}

type CreateCluster = (options: unknown) => Cluster;

/**
 * The producers that this client makes from now on are encoded by our writer.
 *
 * @returns false when the installed kafkajs is built otherwise: it then encodes as it always did
 */
export function encodeOwnBatches(kafka: KafkaClient): boolean {
  const factory = clusterFactory(kafka);
  if (factory === undefined) return false;
  const createCluster: CreateCluster & { readonly encodesOwnBatches?: true } = factory.create;
  if (createCluster.encodesOwnBatches) return true;
  const create: CreateCluster = (options) => {
    const cluster = createCluster(options);
    rememberCoordinator(cluster, () => performance.now());
    const known = new WeakSet<object>();
    const findBroker = cluster.findBroker.bind(cluster);
    cluster.findBroker = async (node) => {
      const broker = await findBroker(node);
      if (!known.has(broker)) interceptProduce(broker as unknown as RequestingBroker);
      known.add(broker);
      return broker;
    };
    return cluster;
  };
  factory.create = Object.assign(create, { encodesOwnBatches: true as const });
  return true;
}

/** A broker that connects anew looks its requests up anew: the lookup is replaced for good. */
function interceptProduce(broker: RequestingBroker): void {
  let original = broker.lookupRequest;
  // One per broker: kafkajs has one request with a producer's records in flight to each.
  const writer = new ProduceRequestWriter();
  const lookup: Lookup = (apiKey, definition) => {
    const create = original(apiKey, definition);
    return apiKey === PRODUCE ? (parameters) => ownEncoding(create(parameters), parameters, writer) : create;
  };
  Object.defineProperty(broker, 'lookupRequest', {
    get: () => lookup,
    set: (replacement: Lookup) => {
      original = replacement;
    },
  });
}

function ownEncoding(protocol: Protocol, parameters: ProduceParameters, writer: ProduceRequestWriter): Protocol {
  const { apiVersion } = protocol.request;
  const topics = ownTopics(parameters);
  if (apiVersion < VERSIONS.first || apiVersion > VERSIONS.last || topics === undefined) return protocol;
  const { transactionalId = null, acks, timeout, producerId, producerEpoch } = parameters;
  const encode = async (): Promise<{ buf: Buffer; buffer: Buffer }> => {
    const body = writer.write(
      { transactionalId, acks, timeout, producerId: BigInt(producerId.toString()), producerEpoch, topics },
      Date.now(),
    );
    // The two names by which kafkajs reads one of its encoders.
    return { buf: body, buffer: body };
  };
  return { ...protocol, request: { ...protocol.request, encode } };
}

/** The topics when all of their records are as ours are; what is not, such as compressed ones, is kafkajs's to encode. */
function ownTopics({ compression, topicData }: ProduceParameters): readonly ProducedTopic[] | undefined {
  if (compression) return undefined;
  for (const { partitions } of topicData) {
    for (const { messages } of partitions) if (!messages.every(isOurs)) return undefined;
  }
  return topicData as readonly ProducedTopic[];
}

function isOurs({ key, value, headers, timestamp }: Message): boolean {
  return (
    Buffer.isBuffer(key) &&
    (value === null || Buffer.isBuffer(value)) &&
    timestamp === undefined &&
    (headers === undefined || areTexts(headers))
  );
}

function areTexts(headers: IHeaders): boolean {
  for (const name in headers) if (typeof headers[name] !== 'string') return false;
  return true;
}
