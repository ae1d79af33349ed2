// A dead letter: a record that a target refuses for good, or that cannot be decoded, as it stood in its topic, with the reason.
//
// In Kafka its value is the record's value, byte for byte (empty for a delete), and its headers say the rest. Its key is the
// record's place: a letter that is written twice replaces itself, and removing one can never remove another.
import { redact } from '@tailwater/runtime';
import type { RecordHeaders } from '@tailwater/schema';
import type { FetchedRecord, TopicPartition } from '../subscribe/subscription.js';

/** Why, and where it was to go. */
export interface DeadLetterReason {
  /** `refused` by the target, or `undecodable` by this release. */
  readonly kind: 'refused' | 'undecodable';
  /** The target's own code of the refusal, or TW1501. */
  readonly code: string;
  readonly reason: string;
  /** The kind of target: `es`. */
  readonly target: string;
  /** What the namespace is called at the target; undefined for a record that could not be decoded. */
  readonly destination: string | undefined;
  /** The position of the event in the oplog; undefined for a record that could not be decoded. */
  readonly position: string | undefined;
  /** Milliseconds since the epoch: when it was refused. */
  readonly refusedAtMs: number;
}

export interface DeadLetter extends DeadLetterReason, TopicPartition {
  /** `<topic>/<partition>/<offset>` */
  readonly id: string;
  /** As it was in its topic; the letter's own headers are not among its headers. */
  readonly record: FetchedRecord;
}

/** A letter as it goes to Kafka. */
export interface DeadLetterMessage {
  readonly key: string;
  readonly value: Buffer;
  readonly headers: Record<string, Buffer | string | (Buffer | string)[]>;
}

const PREFIX = 'tw-letter-';
const NOTHING = Buffer.alloc(0);
const MAX_REASON_LENGTH = 2000;
const INTEGER = /^\d{1,16}$/;
const ID = /^([A-Za-z0-9._-]+)\/(\d{1,10})\/(\d{1,16})$/;

export const deadLetterId = ({ topic, partition }: TopicPartition, offset: string): string => `${topic}/${partition}/${offset}`;

export function encodeDeadLetter(place: TopicPartition, record: FetchedRecord, reason: DeadLetterReason): DeadLetterMessage {
  const { key, value } = record;
  const told: Record<string, Buffer | string | undefined> = {
    kind: reason.kind,
    code: reason.code,
    // Targets, and proxies before them, may repeat what they were sent.
    reason: redact(reason.reason).slice(0, MAX_REASON_LENGTH),
    target: reason.target,
    destination: reason.destination,
    position: reason.position,
    'refused-at': String(reason.refusedAtMs),
    key: key ?? undefined,
    value: value === null ? 'none' : 'as-it-was',
  };
  const headers: DeadLetterMessage['headers'] = {};
  for (const [name, each] of Object.entries(record.headers ?? {})) {
    if (each !== undefined) headers[name] = Array.isArray(each) ? [...(each as readonly (Buffer | string)[])] : (each as Buffer | string);
  }
  for (const [name, each] of Object.entries(told)) if (each !== undefined) headers[`${PREFIX}${name}`] = each;
  return { key: deadLetterId(place, record.offset), value: value ?? NOTHING, headers };
}

/** Reads a record of the dead-letter topic; undefined when it is no letter, such as the tombstone of one. */
export function decodeDeadLetter({ key, value, headers = {} }: FetchedRecord): DeadLetter | undefined {
  const id = key?.toString('utf8') ?? '';
  const [, topic, partition, offset] = ID.exec(id) ?? [];
  const told = (name: string): string | undefined => headerOf(headers, name)?.toString('utf8');
  const refusedAt = told('refused-at') ?? '';
  const kind = told('kind');
  if (topic === undefined || offset === undefined || value === null || !INTEGER.test(refusedAt)) return undefined;
  if (kind !== 'refused' && kind !== 'undecodable') return undefined;
  const own = Object.entries(headers).filter(([name]) => !name.startsWith(PREFIX));
  return {
    id,
    topic,
    partition: Number(partition),
    kind,
    code: told('code') ?? '',
    reason: told('reason') ?? '',
    target: told('target') ?? '',
    destination: told('destination'),
    position: told('position'),
    refusedAtMs: Number(refusedAt),
    record: {
      key: headerOf(headers, 'key') ?? null,
      value: told('value') === 'none' ? null : value,
      headers: Object.fromEntries(own),
      offset,
    },
  };
}

function headerOf(headers: RecordHeaders, name: string): Buffer | undefined {
  const value = headers[`${PREFIX}${name}`];
  const first = Array.isArray(value) ? (value[0] as Buffer | string | undefined) : (value as Buffer | string | undefined);
  return first === undefined ? undefined : Buffer.from(first);
}
