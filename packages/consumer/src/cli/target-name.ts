// What a target may be called.
import { basename, extname } from 'node:path';
import { isModulePath, TailwaterError } from '@tailwater/runtime';

/** A part of the group's name, and of a topic's, so no dot. */
const NAME = /^[A-Za-z0-9_-]{1,100}$/;

/**
 * The name that is given, or that a target has by itself: a module’s file name without its end.
 *
 * @throws TailwaterError TW1006 when the name cannot be part of a group's and a topic's name
 */
export function targetName(value: string): string {
  const name = isModulePath(value) ? basename(value, extname(value)) : value;
  if (NAME.test(name)) return name;
  throw new TailwaterError('TW1006', { flag: '--name', expected: '1 to 100 letters, digits, _ and -', actual: JSON.stringify(value) });
}
