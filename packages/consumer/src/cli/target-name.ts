// What a target may be called.
import { basename, extname } from 'node:path';
import { errorCodes, expectedTargetName, isModulePath, isTargetName, TailwaterError } from '@tailwater/runtime';

/**
 * The name that is given, or that a target has by itself: a module’s file name without its end.
 *
 * @throws TailwaterError TW1006 when the name cannot be part of a group's and a topic's name
 */
export function targetName(value: string): string {
  const name = isModulePath(value) ? basename(value, extname(value)) : value;
  if (isTargetName(name)) return name;
  throw new TailwaterError(errorCodes.WRONG_FLAG_VALUE, { flag: '--name', expected: expectedTargetName, actual: JSON.stringify(value) });
}
