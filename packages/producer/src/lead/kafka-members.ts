// Who is in the group of a source's producers, seen from outside: who leads, who stands by, and who was killed and is in it still.
import type { KafkaClient } from '@tailwater/runtime';
import kafkajs, { type GroupDescription } from 'kafkajs';
import { isGhost, type ProcessIdentity, parseMemberName } from './process-identity.js';

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

/** The members of the group `groupId`, whoever leads first. */
export async function readMembers(kafka: KafkaClient, groupId: string, self: ProcessIdentity): Promise<ProducerMember[]> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    const { groups } = await admin.describeGroups([groupId]);
    return groups.flatMap((group) => describeMembers(group, self));
  } finally {
    await admin.disconnect().catch(() => {});
  }
}

export function describeMembers(
  { state, members }: Pick<GroupDescription, 'state' | 'members'>,
  self: ProcessIdentity,
  isAlive?: (pid: number) => boolean,
): ProducerMember[] {
  const described = members.flatMap(({ clientId, memberAssignment }): ProducerMember[] => {
    const process = parseMemberName(clientId);
    if (process === undefined) return [];
    const { host, pid, startedAtMs } = process;
    const settled = hasLead(memberAssignment) ? 'leads' : 'stands by';
    const role = isGhost(clientId, self, isAlive) ? 'gone' : state === 'Stable' ? settled : 'joining';
    return [{ role, host, pid, startedAt: new Date(startedAtMs).toISOString() }];
  });
  return described.sort((a, b) => ROLES.indexOf(a.role) - ROLES.indexOf(b.role) || (a.startedAt < b.startedAt ? -1 : 1));
}

/** The one partition of the one topic is the lead. */
function hasLead(assignment: Buffer): boolean {
  const decoded = assignment.length === 0 ? null : kafkajs.AssignerProtocol.MemberAssignment.decode(assignment);
  return Object.values(decoded?.assignment ?? {}).some((partitions) => partitions.length > 0);
}
