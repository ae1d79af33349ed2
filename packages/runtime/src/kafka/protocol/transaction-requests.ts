// The requests of a transactional producer to its coordinator, in the versions that every broker since Kafka 2.0 takes. https://kafka.apache.org/protocol#protocol_api_keys
import type { BrokerAddress, BrokerRequest } from './broker-connections.js';
import { coordinatorOf, TRANSACTION } from './coordinator-request.js';
import { ERROR, throwRefusal } from './error-codes.js';

/** Who a transactional producer is. */
export interface ProducerIdentity {
  readonly transactionalId: string;
  readonly producerId: number;
  /** Raised for each that takes over: the one before is fenced. */
  readonly epoch: number;
}

/** The broker that coordinates the transactions of the id. */
export const findTransactionCoordinator = (transactionalId: string): BrokerRequest<BrokerAddress> =>
  coordinatorOf(transactionalId, TRANSACTION);

/** Claims the id: what an earlier producer of it left open is aborted, and nothing more is taken of that one. */
export const initProducerId = (transactionalId: string, timeoutMs: number): BrokerRequest<ProducerIdentity> => ({
  name: 'InitProducerId',
  apiKey: 22,
  version: 1,
  write: (to) => to.string(transactionalId).int32(timeoutMs),
  read(from) {
    from.int32();
    throwRefusal(from.int16(), 'InitProducerId');
    return { transactionalId, producerId: from.int64(), epoch: from.int16() };
  },
});

/** Announces the partitions that the open transaction writes to; the first one opens it. */
export const addPartitionsToTransaction = (
  { transactionalId, producerId, epoch }: ProducerIdentity,
  partitions: ReadonlyMap<string, readonly number[]>,
): BrokerRequest<void> => ({
  name: 'AddPartitionsToTxn',
  apiKey: 24,
  version: 1,
  write: (to) =>
    to
      .string(transactionalId)
      .int64(producerId)
      .int16(epoch)
      .array([...partitions], ([topic, each]) => to.string(topic).array(each, (partition) => to.int32(partition))),
  read(from) {
    from.int32();
    const answers = from
      .array(() => {
        const topic = from.string() ?? '';
        return from.array(() => {
          from.int32();
          return { topic, error: from.int16() };
        });
      })
      .flat();
    // With one partition refused the others are not attempted, which says nothing.
    const refused = answers.filter(({ error }) => error !== ERROR.NONE);
    const told = refused.find(({ error }) => error !== ERROR.OPERATION_NOT_ATTEMPTED) ?? refused[0];
    if (told !== undefined) throwRefusal(told.error, 'AddPartitionsToTxn', told.topic);
  },
});

export const endTransaction = (
  { transactionalId, producerId, epoch }: ProducerIdentity,
  result: 'commit' | 'abort',
): BrokerRequest<void> => ({
  name: 'EndTxn',
  apiKey: 26,
  version: 1,
  write: (to) =>
    to
      .string(transactionalId)
      .int64(producerId)
      .int16(epoch)
      .boolean(result === 'commit'),
  read(from) {
    from.int32();
    throwRefusal(from.int16(), 'EndTxn');
  },
});
