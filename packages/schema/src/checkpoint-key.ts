// The keys of the checkpoint topic, `<source>/<kind>` or `<source>/<kind>/<namespace>`. The producer writes the records; a consumer reads those that say how far
// the source is published.

/** What a record says: see docs/02-wire-contract.md. */
export type CheckpointKind =
  | 'position'
  | 'snapshot'
  | 'sweep'
  | 'partitions'
  | 'gap'
  | 'cluster'
  | 'signals'
  | 'paused'
  | 'shards'
  | 'session'
  | 'base'
  | 'time';

export interface CheckpointKey {
  /** The source: the replica set's name. */
  readonly source: string;
  readonly kind: string;
  /** Empty for what concerns the whole source. */
  readonly namespace: string;
}

const KEY = /^([^/]*)\/([a-z]+)(?:\/(.*))?$/su;

export const checkpointKey = (source: string, kind: CheckpointKind, namespace?: string): string =>
  namespace === undefined ? `${source}/${kind}` : `${source}/${kind}/${namespace}`;

/** Undefined for a key that is not a checkpoint's. */
export function parseCheckpointKey(key: string): CheckpointKey | undefined {
  const match = KEY.exec(key);
  return match === null ? undefined : { source: match[1] ?? '', kind: match[2] ?? '', namespace: match[3] ?? '' };
}
