// The targets by the name that --target gives them, or by the path of a module.
import { errorCodes, isModulePath, type Logger, type OptionValues, TailwaterError } from '@tailwater/runtime';
import { accessOptions, targetAccess } from './access.js';
import { elasticsearchOptions, elasticsearchSettings } from './elasticsearch/options.js';
import { loadTarget } from './module/load-target.js';
import { mongoOptions, mongoSettings } from './mongo/options.js';
import { solrOptions, solrSettings } from './solr/options.js';
import type { Target } from './target.js';

/** Who writes, and the options that only one of the targets knows. */
export const ownOptions = { ...accessOptions, ...elasticsearchOptions, ...solrOptions, ...mongoOptions } as const;

export interface TargetSettings {
  readonly url: string;
  /** How long, in milliseconds, to try to reach the target at the start. */
  readonly connectTimeoutMs: number;
  /** How long, in milliseconds, a request may take before it counts as failed. */
  readonly requestTimeoutMs: number;
  /** Seconds after which what was written can be searched: 0 at once, undefined when the target decides. */
  readonly autoCommitInterval: number | undefined;
  /** For a target that is a module, by name. */
  readonly options: Readonly<Record<string, string>>;
  readonly own: OptionValues<typeof ownOptions>;
  /** For what a target has to say that is no failure. */
  readonly logger?: Pick<Logger, 'warn'>;
}

// Loaded when asked for: each client library costs more than 20 MB of memory, and a process needs one.
const TARGETS: Readonly<Record<string, (settings: TargetSettings) => Promise<Target>>> = {
  es: async ({ own, autoCommitInterval, ...settings }) => {
    const { ElasticsearchTarget } = await import('./elasticsearch/elasticsearch.js');
    const interval = autoCommitInterval === undefined ? {} : { autoCommitInterval };
    return new ElasticsearchTarget({ ...settings, ...interval, ...elasticsearchSettings(own, targetAccess(own)) });
  },
  solr: async ({ own, ...settings }) =>
    new (await import('./solr/solr.js')).SolrTarget({ ...settings, ...targetAccess(own), ...solrSettings(own) }),
  mongo: async ({ own, ...settings }) =>
    new (await import('./mongo/mongo.js')).MongoTarget({ ...settings, ...targetAccess(own), ...mongoSettings(own) }),
};

/** What people type who mean one of them. */
const OTHER_NAMES: Readonly<Record<string, string>> = { elastic: 'es', elasticsearch: 'es', mongodb: 'mongo' };

/** @throws TailwaterError TW1012 for a name that no target has, TW1308 for a URL that is not the target's, TW133x for a module that is none */
export async function createTarget(kind: string, settings: TargetSettings): Promise<Target> {
  const create = Object.hasOwn(TARGETS, kind) ? TARGETS[kind] : undefined;
  if (create !== undefined) return create(settings);
  if (isModulePath(kind)) {
    const { url, connectTimeoutMs, requestTimeoutMs, options } = settings;
    return loadTarget(kind, { url, connectTimeoutMs, requestTimeoutMs, options, ...targetAccess(settings.own) });
  }
  const meant = OTHER_NAMES[kind.toLowerCase()];
  const suggestion = meant === undefined ? '' : `, did you mean ${meant}?`;
  throw new TailwaterError(errorCodes.UNKNOWN_TARGET, { target: kind, suggestion, targets: Object.keys(TARGETS).join(', ') });
}
