// Remembers a moment who coordinates transactions. kafkajs asks a broker before each request to the coordinator, twice a
// transaction: at a gentle rate that was a quarter of what a small transaction takes.
import type { Cluster } from 'kafkajs';

/** https://kafka.apache.org/protocol#The_Messages_FindCoordinator */
const TRANSACTION = 1;
/** A coordinator that has moved is found again after so long, in milliseconds; kafkajs tries again for longer. */
const REMEMBER_MS = 1000;

/** kafkajs's types leave out what is coordinated. */
type FindCoordinator = (request: { groupId: string; coordinatorType?: number }) => ReturnType<Cluster['findGroupCoordinatorMetadata']>;

export function rememberCoordinator(cluster: Cluster, now: () => number): void {
  const find = cluster.findGroupCoordinatorMetadata.bind(cluster) as FindCoordinator;
  let known: { readonly groupId: string; readonly answer: Awaited<ReturnType<FindCoordinator>>; readonly atMs: number } | undefined;
  const remembering: FindCoordinator = async (request) => {
    const { groupId, coordinatorType } = request;
    if (coordinatorType !== TRANSACTION) return find(request);
    if (known === undefined || known.groupId !== groupId || now() - known.atMs >= REMEMBER_MS) {
      known = { groupId, answer: await find(request), atMs: now() };
    }
    return known.answer;
  };
  cluster.findGroupCoordinatorMetadata = remembering;
}
