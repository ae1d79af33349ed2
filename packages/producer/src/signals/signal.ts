// What a running producer can be asked for, as records of the topic `<prefix>.signals`.
import { BSON } from 'mongodb';

const VERSION = 1;

/** Each has an `id` of its own and says when it was asked for. */
export type Signal = SignalHeader & SignalBody;

interface SignalHeader {
  readonly id: string;
  readonly askedAtMs: number;
}

export type SignalBody =
  /** Copy a collection again while the tail goes on. */
  | { readonly kind: 'snapshot'; readonly namespace: string }
  /** The same, and tombstones for what is in the topic and no longer in the collection. */
  | { readonly kind: 'reconcile'; readonly namespace: string }
  /** Publish these documents as they are now, and tombstones for those that are not there. */
  | { readonly kind: 'refresh'; readonly namespace: string; readonly ids: readonly unknown[] }
  /** Stop copying, and the tail too where that is said; `resume` ends either. */
  | { readonly kind: 'pause'; readonly tail: boolean }
  | { readonly kind: 'resume' };

export function encodeSignal(signal: Signal): Buffer {
  const { kind, id, askedAtMs, ...body } = signal;
  // Ids keep their types: canonical Extended JSON.
  const written = 'ids' in body ? { ...body, ids: BSON.EJSON.serialize(body.ids as object, { relaxed: false }) } : body;
  return Buffer.from(JSON.stringify({ version: VERSION, kind, id, askedAtMs, ...written }));
}

/**
 * Reads a record's value.
 *
 * @throws TypeError with the reason for one that this release cannot execute
 */
export function decodeSignal(value: Buffer | null): Signal {
  const fields = JSON.parse(value?.toString('utf8') ?? 'null') as Record<string, unknown> | null;
  if (typeof fields !== 'object' || fields === null) throw new TypeError('it is no JSON object');
  if (fields['version'] !== VERSION) throw new TypeError(`its version is ${String(fields['version'])}, this release reads ${VERSION}`);
  const header = { id: String(fields['id']), askedAtMs: Number(fields['askedAtMs']) };
  const namespace = String(fields['namespace']);
  switch (fields['kind']) {
    case 'snapshot':
    case 'reconcile':
      return { ...header, kind: fields['kind'], namespace };
    case 'refresh':
      if (!Array.isArray(fields['ids'])) throw new TypeError('it has no ids');
      return {
        ...header,
        kind: 'refresh',
        namespace,
        ids: BSON.EJSON.deserialize(fields['ids'] as object, { relaxed: false }) as unknown[],
      };
    case 'pause':
      return { ...header, kind: 'pause', tail: fields['tail'] === true };
    case 'resume':
      return { ...header, kind: 'resume' };
    default:
      throw new TypeError(`its kind is ${String(fields['kind'])}`);
  }
}
