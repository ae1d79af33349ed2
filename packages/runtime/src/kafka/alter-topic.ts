// Changes settings of a topic and leaves its others as they are. kafkajs knows only the older request, which removes what it does not name.
// https://kafka.apache.org/protocol#The_Messages_IncrementalAlterConfigs
import { createRequire } from 'node:module';
import type { Cluster } from 'kafkajs';
import { connectCluster } from './connect-cluster.js';
import type { KafkaClient } from './create-kafka.js';
import { toKafkaError } from './kafka-errors.js';

const API = { apiKey: 44, apiVersion: 0, apiName: 'IncrementalAlterConfigs' };
const TOPIC = 2;
const SET = 0;

/** kafkajs's own, which its types leave out. */
interface Encoder {
  writeInt8(value: number): Encoder;
  writeString(value: string): Encoder;
  writeBoolean(value: boolean): Encoder;
  writeArray(values: readonly Encoder[]): Encoder;
}
interface RequestingBroker {
  readonly connectionPool: { send(protocol: object): Promise<number> };
}

const require = createRequire(import.meta.url);
const KafkaEncoder = require('kafkajs/src/protocol/encoder') as new () => Encoder;
const { createErrorFromCode } = require('kafkajs/src/protocol/error') as { createErrorFromCode(code: number): Error };

/** @throws the coded error, as TW1208 where this user may not; kafkajs's own where a broker refuses a value, or is too old */
export async function alterTopic(kafka: KafkaClient, topic: string, settings: Readonly<Record<string, string>>): Promise<void> {
  const { cluster, close } = await connectCluster(kafka, `${topic}.settings`);
  try {
    const errorCode = await send(cluster, topic, settings);
    if (errorCode !== 0) throw createErrorFromCode(errorCode);
  } catch (error) {
    throw toKafkaError(error, kafka.brokers);
  } finally {
    await close();
  }
}

async function send(cluster: Cluster, topic: string, settings: Readonly<Record<string, string>>): Promise<number> {
  const encode = async (): Promise<Encoder> => {
    const configs = Object.entries(settings).map(([name, value]) => new KafkaEncoder().writeString(name).writeInt8(SET).writeString(value));
    const resource = new KafkaEncoder().writeInt8(TOPIC).writeString(topic).writeArray(configs);
    return new KafkaEncoder().writeArray([resource]).writeBoolean(false);
  };
  const response = {
    // Behind the throttle time and the number of resources, which is one.
    decode: async (payload: Buffer) => payload.readInt16BE(8),
    parse: async (errorCode: number) => errorCode,
  };
  await cluster.refreshMetadata();
  const broker = (await cluster.findControllerBroker()) as unknown as RequestingBroker;
  return broker.connectionPool.send({ request: { ...API, encode }, response });
}
