// Against kafkajs, whose bytes are those of Kafka's own tools.
import kafkajs from 'kafkajs';
import { describe, expect, test } from 'vitest';
import { decodeAssignment, decodeSubscription, encodeAssignment, encodeSubscription } from '#consumer/subscribe/member-protocol.js';

const { MemberAssignment, MemberMetadata } = kafkajs.AssignerProtocol;
const owned = [
  { topic: 'a', partition: 0 },
  { topic: 'a', partition: 2 },
  { topic: 'b', partition: 1 },
];

describe('what members tell each other', () => {
  test('a subscription comes back, with what the member owns and since when', () => {
    expect(decodeSubscription('m', encodeSubscription(['a', 'b'], owned, 7))).toEqual({
      memberId: 'm',
      topics: new Set(['a', 'b']),
      owned,
      generation: 7,
    });
    expect(MemberMetadata.decode(encodeSubscription(['a', 'b'], owned, 7))?.topics).toEqual(['a', 'b']);
  });

  test('that of an older client owns nothing, and what cannot be read subscribes to nothing', () => {
    const old = MemberMetadata.encode({ version: 0, topics: ['a'], userData: Buffer.alloc(0) });
    expect(decodeSubscription('m', old)).toEqual({ memberId: 'm', topics: new Set(['a']), owned: [], generation: -1 });
    expect(decodeSubscription('m', Buffer.from('nonsense'))).toEqual({ memberId: 'm', topics: new Set(), owned: [], generation: -1 });
  });

  test('where a member applies changes to comes back, and others may say what they like there', () => {
    const said = encodeSubscription(['a'], owned, 7, ['one', 'two']);
    expect(decodeSubscription('m', said)).toMatchObject({ owned, generation: 7, target: ['one', 'two'] });
    expect(MemberMetadata.decode(said)?.topics).toEqual(['a']);
    const other = MemberMetadata.encode({ version: 0, topics: ['a'], userData: Buffer.from('nonsense') });
    expect(decodeSubscription('m', other)).toMatchObject({ topics: new Set(['a']) });
    expect(decodeAssignment(encodeAssignment([], true))).toEqual({ partitions: [], isStranger: true });
  });

  test('an assignment comes back, and other tools read it', () => {
    expect(decodeAssignment(encodeAssignment(owned))).toEqual({ partitions: owned, isStranger: false });
    expect(MemberAssignment.decode(encodeAssignment(owned))?.assignment).toEqual({ a: [0, 2], b: [1] });
    expect(decodeAssignment(Buffer.alloc(0))).toEqual({ partitions: [], isStranger: false });
  });
});
