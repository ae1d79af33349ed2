// What a target may be called.
import { TailwaterError } from '@tailwater/runtime';

/** A part of the group's name, and of a topic's, so no dot. */
const NAME = /^[A-Za-z0-9_-]{1,100}$/;

/** @throws TailwaterError TW1006 when the name cannot be part of a group's and a topic's name */
export function targetName(value: string): string {
  if (NAME.test(value)) return value;
  throw new TailwaterError('TW1006', { flag: '--name', expected: '1 to 100 letters, digits, _ and -', actual: JSON.stringify(value) });
}
