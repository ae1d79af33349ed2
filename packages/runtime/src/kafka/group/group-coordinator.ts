// The broker that coordinates a group: which one it is, and what may be asked of whichever it is.
import { abortable } from '../../async/abortable.js';
import { sleep } from '../../async/sleep.js';
import type { BrokerConnections, BrokerRequest } from '../protocol/broker-connections.js';
import { BrokerRefusal, ERROR } from '../protocol/error-codes.js';
import { findCoordinator } from '../protocol/group-requests.js';

/** Another broker coordinates, or will in a moment. */
export const COORDINATOR_ERRORS: ReadonlySet<number> = new Set([
  ERROR.COORDINATOR_LOAD_IN_PROGRESS,
  ERROR.COORDINATOR_NOT_AVAILABLE,
  ERROR.NOT_COORDINATOR,
]);
const PAUSE_MS = 200;

/** Whether asking again may help. */
export const isPassing = (error: unknown): boolean =>
  error instanceof BrokerRefusal ? COORDINATOR_ERRORS.has(error.code) : (error as { readonly retriable?: unknown }).retriable === true;

/**
 * Asks whichever broker coordinates the group; again while that changes or there is no answer, until the signal aborts.
 *
 * @throws what asking again does not cure, or the last failure when the signal aborts
 */
export async function askCoordinator<T>(
  connections: BrokerConnections,
  groupId: string,
  request: BrokerRequest<T>,
  signal: AbortSignal,
): Promise<T> {
  const ask = async (): Promise<T> => {
    const address = await (await connections.any()).send(findCoordinator(groupId));
    connections.know(address);
    return (await connections.node(address.nodeId)).send(request);
  };
  for (let failure: unknown; ; await sleep(PAUSE_MS, signal)) {
    try {
      return await abortable(ask(), signal);
    } catch (error) {
      if (signal.aborted) throw failure ?? error;
      if (!isPassing(error)) throw error;
      failure = error;
    }
  }
}
