// What the members of the group of a source's producers say to each other, and which of them leads: the one that leads already, so that a newcomer changes nothing; else
// the one that has waited longest. Producers of different versions are members of one group while they are upgraded: this wire format stays
// (https://kafka.apache.org/protocol#consumer_protocol, version 1, with what is ours as JSON).
import { type MemberAssignment, WireReader, WireWriter } from '@tailwater/runtime';

/** As the group knows it. */
export const LEAD_PROTOCOL = 'tailwater-lead';
const VERSION = 1;
const NOTHING = Buffer.alloc(0);

/** What a member says of itself when it joins. */
export interface Claim {
  /** When it was told to lead, in milliseconds since the epoch; null while it does not. */
  readonly leadingSinceMs: number | null;
  readonly startedAtMs: number;
}

interface Candidate extends Claim {
  readonly memberId: string;
}

/** The member to lead; the newest lead beats older ones, whose members were frozen and do not know yet that they lost it. */
export function chooseLeader(candidates: readonly Candidate[]): string | undefined {
  const rank = ({ leadingSinceMs }: Candidate): number => leadingSinceMs ?? 0;
  const [first] = [...candidates].sort((a, b) => rank(b) - rank(a) || a.startedAtMs - b.startedAtMs || (a.memberId < b.memberId ? -1 : 1));
  return first?.memberId;
}

export function encodeClaim(topic: string, claim: Claim): Buffer {
  const to = new WireWriter();
  to.int16(VERSION).array([topic], (name) => to.string(name));
  return to.blob(Buffer.from(JSON.stringify(claim))).bytes;
}

/** Gives the one partition of the topic to one of the members, and nothing to the others. */
export function assignLead(
  topic: string,
  members: readonly { readonly memberId: string; readonly metadata: Buffer }[],
): MemberAssignment[] {
  const leader = chooseLeader(members.map(({ memberId, metadata }) => ({ memberId, ...decodeClaim(metadata) })));
  return members.map(({ memberId }) => ({ memberId, assignment: encodeLead(topic, memberId === leader) }));
}

/** Whether it gives the lead. What cannot be read gives nothing. */
export function holdsLead(assignment: Buffer): boolean {
  if (assignment.length === 0) return false;
  try {
    const from = new WireReader(assignment);
    from.int16();
    const partitions = from.array(() => {
      from.string();
      return from.array(() => from.int32());
    });
    return partitions.flat().includes(0);
  } catch {
    return false;
  }
}

function encodeLead(topic: string, isLeader: boolean): Buffer {
  const to = new WireWriter();
  to.int16(VERSION).array(isLeader ? [topic] : [], (name) => to.string(name).array([0], (partition) => to.int32(partition)));
  return to.blob(NOTHING).bytes;
}

/** Of a member that says something else, as a later version may, nothing is known: it comes last. */
function decodeClaim(metadata: Buffer): Claim {
  try {
    const from = new WireReader(metadata);
    from.int16();
    from.array(() => from.string());
    const { leadingSinceMs, startedAtMs } = JSON.parse(String(from.blob())) as Record<string, unknown>;
    return { leadingSinceMs: Number(leadingSinceMs ?? 0) || null, startedAtMs: Number(startedAtMs) || Number.MAX_SAFE_INTEGER };
  } catch {
    return { leadingSinceMs: null, startedAtMs: Number.MAX_SAFE_INTEGER };
  }
}
