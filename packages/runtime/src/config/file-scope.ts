// What of a file counts for one process: what it says for that process alone, else what it says for all.
import { errorCodes } from '../errors/catalogue.js';
import { TailwaterError } from '../errors/tailwater-error.js';
import { suggest } from '../text/nearest.js';
import type { ConfigFile, FileEntry } from './config-file.js';
import { keyOf, TARGET_PATH } from './schema/configuration.js';

export interface FileScope {
  /** The entry of an option, by its flag's name. */
  entryOf(flag: string): FileEntry | undefined;
}

/** For a command that is about no target. What stands in the section that is called as the program counts for it alone. */
export const programScope = (file: ConfigFile, program: string): FileScope => scope(file, program);

/**
 * The target of a name; without a name the only one. A file without targets leaves everything to flags and environment.
 *
 * @throws TailwaterError TW1023 when the file has no target of the name, TW1024 when it has several and none is named
 */
export function targetScope(file: ConfigFile, name: string | undefined): FileScope {
  const { targets } = file;
  const list = targets.join(', ');
  const target = name ?? (targets.length === 1 ? targets[0] : undefined);
  const key = `targets.${target}`;
  if (targets.length === 0) return scope(file, key);
  if (target === undefined) throw new TailwaterError(errorCodes.SEVERAL_CONFIGURED_TARGETS, { file: file.file, targets: list });
  if (!targets.includes(target))
    throw new TailwaterError(errorCodes.NO_SUCH_CONFIGURED_TARGET, {
      file: file.file,
      name: target,
      suggestion: suggest(target, targets),
      targets: list,
    });
  const { entryOf } = scope(file, key);
  return { entryOf: (flag) => (flag === 'name' ? { key, place: file.file, written: target } : entryOf(flag)) };
}

/** @param own - where what counts for one process alone stands: `producer`, or `targets.search` */
function scope({ entries }: ConfigFile, own: string): FileScope {
  return {
    entryOf(flag) {
      const key = keyOf(flag);
      if (key === undefined) return undefined;
      return entries.get(key.startsWith(TARGET_PATH) ? key.replace(TARGET_PATH, own) : `${own}.${key}`) ?? entries.get(key);
    },
  };
}
