// The whole tree of the configuration file, which both processes read and check. Where a leaf stands in it is its key in the file.
//
// Maintained invariant: no two leaves have one flag, except as the same object (a target's common keys; what `producer:` and a
// target may say again for themselves).
import type { ConfigOption } from '../option.js';
import { kafka } from './kafka.js';
import { logging } from './logging.js';
import { namespaces } from './namespaces.js';
import { producer } from './producer.js';
import { source } from './source.js';
import { status } from './status.js';
import { stop } from './stop.js';
import { targetTypes } from './targets.js';

/** A mapping of the file: leaves, and mappings of leaves. */
export interface Section {
  readonly [key: string]: ConfigOption | Section;
}

/** What stands at the top for all, and may stand in `producer:` and in each target for that process alone. */
const common = { kafka, namespaces, logging, status, stop } as const;

/** The sections at the top, but for `targets:`. */
export const sections = { source, kafka, namespaces, producer: { ...producer, ...common }, logging, status, stop } as const;

/** The keys of each type of target. */
export const targetSections = {
  es: { ...targetTypes.es, ...common },
  solr: { ...targetTypes.solr, ...common },
  mongo: { ...targetTypes.mongo, ...common },
  module: { ...targetTypes.module, ...common },
} as const;

/** What each section is about, for the reference and the JSON Schema. */
export const sectionTitles: Readonly<Record<string, string>> = {
  source: 'The MongoDB that is read',
  kafka: 'How both processes reach Kafka, and the topics there',
  namespaces: 'Which collections, and what becomes of their names and documents on the way',
  producer: 'Copies of collections, where the tail begins, and what a gap means',
  targets: 'What consumers write to, by name',
  logging: 'What is logged, and how it looks',
  status: 'The HTTP server that reports the state of a process',
  stop: 'How a process ends',
};

// A target's own key may be called `flag`, but is no text.
export const isConfigOption = (node: ConfigOption | Section): node is ConfigOption => typeof node['flag'] === 'string';

type Flagged = { readonly flag: string };
type ConfigOptionOf<Node> = Node extends Flagged ? Node : { [Key in keyof Node]: ConfigOptionOf<Node[Key]> }[keyof Node];
type ByFlag<Each> = { readonly [Flag in Each extends Flagged ? Each['flag'] : never]: Extract<Each, { readonly flag: Flag }> };

/** The place of a target in the keys below. */
export const TARGET_PATH = 'targets.<name>';

/** The leaves of a section with their keys, `kafka.tls.ca`, in the order of the tree. */
export function* configOptionsOf(section: Section, path = ''): Generator<readonly [key: string, configOption: ConfigOption]> {
  for (const [name, node] of Object.entries(section)) {
    const key = path === '' ? name : `${path}.${name}`;
    if (isConfigOption(node)) yield [key, node];
    else yield* configOptionsOf(node, key);
  }
}

/** The one key of each leaf: that at the top for what may stand in several places. */
const keys: ReadonlyMap<string, readonly [key: string, configOption: ConfigOption]> = new Map(
  [
    ...configOptionsOf({ source, kafka, namespaces, producer, logging, status, stop }),
    ...Object.values(targetTypes).flatMap((type) => [...configOptionsOf(type, TARGET_PATH)]),
  ].map(([key, configOption]) => [configOption.flag, [key, configOption]]),
);

/** Every leaf by its flag, for commands to take their options from: `const { mongo, source } = leaves`. */
export const configOptions = Object.fromEntries([...keys].map(([flag, [, configOption]]) => [flag, configOption])) as ByFlag<
  ConfigOptionOf<typeof sections | typeof targetTypes>
>;

/** `kafka.tls.ca` for the flag `kafkaTlsCa`; `targets.<name>.url` for `targetUrl`; undefined for an option that the file has no key for. */
export const keyOf = (flag: string): string | undefined => keys.get(flag)?.[0];
