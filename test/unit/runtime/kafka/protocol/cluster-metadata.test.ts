import { expect, it } from 'vitest';
import type { Broker, BrokerRequest } from '#runtime/kafka/protocol/broker-connections.js';
import { type ClusterMetadata, readMetadata } from '#runtime/kafka/protocol/cluster-metadata.js';
import { WireReader, WireWriter } from '#runtime/kafka/protocol/wire.js';

const ID = '000102030405060708090a0b0c0d0e0f';

/** An answer about topics of one partition each, in the version that tells ids. */
function answer(topics: readonly (readonly [string, string])[]): Buffer {
  const to = new WireWriter();
  const text = (value: string): void => {
    to.unsignedVarint(value.length + 1);
    for (const byte of Buffer.from(value)) to.int8(byte);
  };
  to.int32(0)
    .unsignedVarint(1)
    .unsignedVarint(0)
    .int32(1)
    .unsignedVarint(topics.length + 1);
  for (const [name, id] of topics) {
    to.int16(0);
    text(name);
    for (const byte of Buffer.from(id, 'hex')) to.int8(byte);
    to.boolean(false).unsignedVarint(2);
    to.int16(0).int32(0).int32(7).int32(0).unsignedVarint(2).int32(7).unsignedVarint(1).unsignedVarint(1).noTags();
    to.int32(0).noTags();
  }
  return to.noTags().bytes;
}

it('the id of a topic that has none is none: with the next upgrade of its cluster it gets one', async () => {
  const broker = {
    takes: () => true,
    send: async (request: BrokerRequest<ClusterMetadata>) =>
      request.read(
        new WireReader(
          answer([
            ['new', ID],
            ['old', '00'.repeat(16)],
          ]),
        ),
      ),
  } as unknown as Broker;
  const { topics } = await readMetadata(broker, () => true);
  expect([...topics.values()]).toEqual([
    { topic: 'new', id: ID, leaders: [7], leaderEpochs: [0], replicas: 1 },
    { topic: 'old', id: undefined, leaders: [7], leaderEpochs: [0], replicas: 1 },
  ]);
});
