// What producers said to each other up to version 0.1.0, through kafkajs: the wire format that an upgrade, one process after the other, stands on.
import kafkajs, { type PartitionAssigner } from 'kafkajs';

const { MemberAssignment, MemberMetadata } = kafkajs.AssignerProtocol;

export interface EarlierClaim {
  readonly leadingSinceMs: number | null;
  readonly startedAtMs: number;
}

export function earlierAssigner(topic: string, ownClaim: () => EarlierClaim): PartitionAssigner {
  return () => ({
    name: 'tailwater-lead',
    version: 1,
    protocol: ({ topics }) => ({
      name: 'tailwater-lead',
      metadata: MemberMetadata.encode({ version: 1, topics, userData: Buffer.from(JSON.stringify(ownClaim())) }),
    }),
    assign: async ({ members }) => {
      const [first] = members
        .map(({ memberId, memberMetadata }) => ({
          memberId,
          ...(JSON.parse(String(MemberMetadata.decode(memberMetadata)?.userData)) as EarlierClaim),
        }))
        .sort((a, b) => (b.leadingSinceMs ?? 0) - (a.leadingSinceMs ?? 0) || a.startedAtMs - b.startedAtMs);
      return members.map(({ memberId }) => ({
        memberId,
        memberAssignment: MemberAssignment.encode({
          version: 1,
          assignment: memberId === first?.memberId ? { [topic]: [0] } : {},
          userData: Buffer.alloc(0),
        }),
      }));
    },
  });
}
