// Which target a group applies to, for telling whether it is another one: short hashes of where it is. They go into commits and to the other members of the
// group, so nothing of an address can be read from them, and secrets are no part of it.
import { createHash } from 'node:crypto';

/** Of each address at which the target can be reached, a hash. Empty when that says nothing. */
export type TargetMark = readonly string[];

const HASH_LENGTH = 10;
/** A cluster may have hundreds of nodes: those that are named first will do. */
const MAX_ADDRESSES = 12;
const DEFAULT_PORTS: Readonly<Record<string, string>> = { http: '80', https: '443', mongodb: '27017' };

/** @param url - as given to --target-url: one address, several with commas between them, or a connection string of MongoDB */
export function targetMark(kind: string, url: string): TargetMark {
  const addresses = new Set(url.split(/,\s*(?=[a-z][a-z0-9+.-]*:\/\/)/i).flatMap(placesOf));
  return [...addresses]
    .sort()
    .slice(0, MAX_ADDRESSES)
    .map((address) => hashOf(`${kind} ${address}`));
}

/** One may have named a node, the other all: one in common is enough. Nothing is said of what is not known. */
export function isOtherTarget(a: TargetMark | undefined, b: TargetMark | undefined): boolean {
  if (a === undefined || b === undefined || a.length === 0 || b.length === 0) return false;
  return !a.some((address) => b.includes(address));
}

function placesOf(text: string): string[] {
  const [, scheme = '', rest = ''] = /^(?:([a-z][a-z0-9+.-]*):\/\/)?(.*)$/is.exec(text.trim()) ?? [];
  const bare = rest.replace(/[?#].*$/s, '');
  const behindUser = bare.slice(bare.lastIndexOf('@') + 1);
  const slash = behindUser.indexOf('/');
  const hosts = slash === -1 ? behindUser : behindUser.slice(0, slash);
  const name = scheme.toLowerCase();
  // The database in MongoDB's connection string is where users are looked up.
  const path = slash === -1 || name.startsWith('mongodb') ? '' : behindUser.slice(slash).replace(/\/+$/, '');
  const withPort = (host: string) => (/:\d+$/.test(host) || !(name in DEFAULT_PORTS) ? host : `${host}:${DEFAULT_PORTS[name]}`);
  return hosts
    .split(',')
    .filter((host) => host !== '')
    .map((host) => `${withPort(name === '' ? host : host.toLowerCase())}${path}`);
}

const hashOf = (text: string): string => createHash('sha256').update(text).digest('base64url').slice(0, HASH_LENGTH);
