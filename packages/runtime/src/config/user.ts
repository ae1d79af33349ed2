// A user and a password that are given as two options: both or neither.
import { missingOption } from './load-options.js';

export interface User {
  readonly name: string;
  readonly password: string;
}

/**
 * @param of - what the options begin with: `mongo` for `mongoUser` and `mongoPassword`
 * @throws TailwaterError TW1007 for one without the other
 */
export function userOf(of: 'mongo' | 'target', name: string | undefined, password: string | undefined): User | undefined {
  if (name !== undefined && password !== undefined) return { name, password };
  if (name === undefined && password === undefined) return undefined;
  throw missingOption(`${of}${name === undefined ? 'User' : 'Password'}`);
}
