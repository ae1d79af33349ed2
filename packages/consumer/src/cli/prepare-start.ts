// What the options of `consumer start` come to, before any server is asked.
import {
  createKafka,
  errorCodes,
  type KafkaClient,
  kafkaConnection,
  type Logger,
  type OptionValues,
  registryOptions,
  statusListen,
  TailwaterError,
} from '@tailwater/runtime';
import { isTopicPrefix } from '@tailwater/schema';
import { ownOptions } from '../targets/registry.js';
import type { Target } from '../targets/target.js';
import { configuredTarget } from './configured-target.js';
import { batchOptions, errorOptions, kafkaOptions, processOptions, targetOptions } from './options.js';
import { targetName } from './target-name.js';
import { prepareTransform, type Transforming, transformOptions } from './transforming.js';

export const startOptions = {
  ...targetOptions,
  ...kafkaOptions,
  ...transformOptions,
  ...registryOptions,
  ...batchOptions,
  ...errorOptions,
  ...processOptions,
  ...ownOptions,
} as const;

export interface PreparedStart {
  readonly listen: ReturnType<typeof statusListen>;
  readonly transforming: Transforming;
  readonly name: string;
  /** Not connected yet. */
  readonly target: Target;
  readonly kafka: KafkaClient;
}

/** @throws TailwaterError for values that are not usable, alone or together */
export async function prepareStart(given: OptionValues<typeof startOptions>, logger: Logger): Promise<PreparedStart> {
  if (!isTopicPrefix(given.prefix)) throw new TailwaterError(errorCodes.BAD_TOPIC_PREFIX, { prefix: given.prefix });
  const listen = statusListen(given, logger);
  const transforming = await prepareTransform(given);
  const name = targetName(given.name ?? given.target);
  const kafka = createKafka(kafkaConnection(given, 'tailwater-consumer'), logger.child({ component: 'kafka' }));
  const target = await configuredTarget(given, logger.child({ component: 'apply' }));
  return { listen, transforming, name, target, kafka };
}
