// Suggests the key that was probably meant by one that does not exist there.
import { nearestOf } from '../text/nearest.js';
import { configOptions, keyOf, sections, TARGET_PATH, targetSections } from './schema/configuration.js';

/**
 * A near key of the same mapping; else, where a key of that name does stand: people know options by their flags (`mongo`), or have
 * the wrong section.
 *
 * @param path - of the mapping, `targets.search`; empty at the top
 */
export function suggestKey(name: string, siblings: readonly string[], path = ''): string {
  if (path.startsWith('targets.')) {
    const types = Object.entries(targetSections).filter(([, keys]) => Object.hasOwn(keys, name));
    if (types.length > 0) return `, which only a target of type ${types.map(([type]) => type).join(', ')} has`;
  }
  if (path !== '' && (name === 'targets' || Object.hasOwn(sections, name))) return ', which stands at the top of the file only';
  const sibling = nearestOf(name, siblings);
  if (sibling !== undefined) return `, did you mean ${sibling}?`;
  const flags = Object.keys(configOptions);
  const flag = nearestOf(name, flags) ?? flags.find((each) => keyOf(each)?.endsWith(`.${name}`));
  const key = flag === undefined ? undefined : keyOf(flag);
  if (key === undefined) return '';
  return path.startsWith('targets.')
    ? `, did you mean ${key.replace(TARGET_PATH, path.split('.').slice(0, 2).join('.'))}?`
    : `, did you mean ${key}?`;
}
