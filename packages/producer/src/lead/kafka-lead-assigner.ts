// Which member of the group leads: whoever does already, so that a newcomer moves nothing; else whoever has waited longest.
import kafkajs, { type PartitionAssigner } from 'kafkajs';

const { MemberAssignment, MemberMetadata } = kafkajs.AssignerProtocol;
const PROTOCOL = 'tailwater-lead';
const VERSION = 1;

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

/** @param ownClaim - asked at each join */
export function leadAssigner(topic: string, ownClaim: () => Claim): PartitionAssigner {
  return () => ({
    name: PROTOCOL,
    version: VERSION,
    protocol: ({ topics }) => ({
      name: PROTOCOL,
      metadata: MemberMetadata.encode({ version: VERSION, topics, userData: Buffer.from(JSON.stringify(ownClaim())) }),
    }),
    assign: async ({ members }) => {
      const leader = chooseLeader(
        members.map(({ memberId, memberMetadata }) => ({ memberId, ...parseClaim(MemberMetadata.decode(memberMetadata)?.userData) })),
      );
      return members.map(({ memberId }) => {
        const assignment: Record<string, number[]> = memberId === leader ? { [topic]: [0] } : {};
        return { memberId, memberAssignment: MemberAssignment.encode({ version: VERSION, assignment, userData: Buffer.alloc(0) }) };
      });
    },
  });
}

/** Of a member that says something else, as a later version may, nothing is known: it comes last. */
function parseClaim(userData: Buffer | undefined): Claim {
  try {
    const { leadingSinceMs, startedAtMs } = JSON.parse(String(userData)) as Record<string, unknown>;
    return { leadingSinceMs: Number(leadingSinceMs ?? 0) || null, startedAtMs: Number(startedAtMs) || Number.MAX_SAFE_INTEGER };
  } catch {
    return { leadingSinceMs: null, startedAtMs: Number.MAX_SAFE_INTEGER };
  }
}
