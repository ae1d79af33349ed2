// JSON for what the process keeps: positions and versions are 63-bit integers, which go as text and never through a JS number.
import { redact } from '../errors/redact.js';

/** @returns the value as JSON, BigInts as strings, Maps as objects, Sets as arrays, secrets masked */
export function toStatusJson(value: unknown): string {
  return redact(JSON.stringify(value, replacer, 2) ?? 'null');
}

function replacer(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Map) return Object.fromEntries(value);
  if (value instanceof Set) return [...value];
  return value;
}
