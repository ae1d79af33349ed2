// What a transaction failed with, as a coded error.
import { BrokerRefusal, errorCodes, TailwaterError, toKafkaError } from '@tailwater/runtime';

/** What a broker refuses for a reason that is not known as a mistake of people, it may take of the next session, which goes on from the checkpoint: TW1222. */
export function toTransactionError(error: unknown, brokers: string): unknown {
  const known = toKafkaError(error, brokers);
  if (!(known instanceof BrokerRefusal)) return known;
  return new TailwaterError(errorCodes.TRANSACTION_REFUSED, { brokers, reason: known.message }, { cause: error });
}
