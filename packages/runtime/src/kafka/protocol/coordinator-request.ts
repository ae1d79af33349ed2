// Which broker coordinates a group, or the transactions of an id: https://kafka.apache.org/protocol#The_Messages_FindCoordinator
import type { BrokerAddress, BrokerRequest } from './broker-connections.js';
import { throwRefusal } from './error-codes.js';

export const GROUP = 0;
export const TRANSACTION = 1;

export const coordinatorOf = (key: string, type: typeof GROUP | typeof TRANSACTION): BrokerRequest<BrokerAddress> => ({
  name: 'FindCoordinator',
  apiKey: 10,
  version: 2,
  write: (to) => to.string(key).int8(type),
  read(from) {
    from.int32();
    const error = from.int16();
    from.string();
    throwRefusal(error, 'FindCoordinator');
    return { nodeId: from.int32(), host: from.string() ?? '', port: from.int32(), rack: null };
  },
});
