// What brokers answer to a transactional producer.
import { ERROR, type WireReader } from '@tailwater/runtime';
import { answer } from './answer.js';

type Answered = (bytes: Buffer) => void;

export class TransactionRequests {
  handle(_node: number, _apiKey: number, _from: WireReader, done: Answered): void {
    done(answer((to) => to.int32(0).int16(ERROR.UNKNOWN_SERVER_ERROR)));
  }
}
