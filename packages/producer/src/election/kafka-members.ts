// Who is in the group of a source's producers, seen from outside: who leads, who stands by, and who was killed and is in it still.
import { askCoordinator, BrokerConnections, type DescribedGroup, describeGroup, type KafkaClient, toKafkaError } from '@tailwater/runtime';
import { holdsLead } from './lead-protocol.js';
import { isDeadProcess, type ProcessIdentity, parseMemberName } from './process-identity.js';

/** `joining`: the group is settling who leads. `gone`: a process of this machine that no longer lives; its session has not ended yet. */
type MemberRole = 'leads' | 'stands by' | 'joining' | 'gone';

export interface ProducerMember {
  readonly role: MemberRole;
  readonly host: string;
  readonly pid: number;
  /** When the process started, ISO 8601. */
  readonly startedAt: string;
}

const ROLES: readonly MemberRole[] = ['leads', 'stands by', 'joining', 'gone'];
/** Kafka was there a moment ago. */
const PATIENCE_MS = 30_000;

/**
 * The members of the group `groupId`, the leader first.
 *
 * @throws TailwaterError for Kafka's errors
 */
export async function readMembers(kafka: KafkaClient, groupId: string, self: ProcessIdentity): Promise<ProducerMember[]> {
  const connections = new BrokerConnections(kafka);
  try {
    return describeMembers(await askCoordinator(connections, groupId, describeGroup(groupId), AbortSignal.timeout(PATIENCE_MS)), self);
  } catch (error) {
    throw toKafkaError(error, kafka.brokers);
  } finally {
    connections.close();
  }
}

export function describeMembers(
  { state, members }: DescribedGroup,
  self: ProcessIdentity,
  isAlive?: (pid: number) => boolean,
): ProducerMember[] {
  const described = members.flatMap(({ clientId, assignment }): ProducerMember[] => {
    const process = parseMemberName(clientId);
    if (process === undefined) return [];
    const { host, pid, startedAtMs } = process;
    const settled = holdsLead(assignment) ? 'leads' : 'stands by';
    const role = isDeadProcess(clientId, self, isAlive) ? 'gone' : state === 'Stable' ? settled : 'joining';
    return [{ role, host, pid, startedAt: new Date(startedAtMs).toISOString() }];
  });
  return described.sort((a, b) => ROLES.indexOf(a.role) - ROLES.indexOf(b.role) || (a.startedAt < b.startedAt ? -1 : 1));
}
