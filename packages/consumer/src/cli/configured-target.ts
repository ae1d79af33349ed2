// The target that a command's options name, not connected yet.
import type { Logger, OptionValues } from '@tailwater/runtime';
import { createTarget, ownOptions } from '../targets/registry.js';
import type { Target } from '../targets/target.js';
import { batchOptions, targetOptions } from './options.js';

const { target, targetUrl, name, targetOption } = targetOptions;

/** What every command takes that opens the target. */
export const openOptions = { target, targetUrl, name, targetOption, requestTimeout: batchOptions.requestTimeout, ...ownOptions } as const;

/** How long, in milliseconds, to try to reach the target at the start. */
const CONNECT_TIMEOUT_MS = 15_000;

/**
 * @param autoCommitInterval - seconds after which what was written can be searched; undefined when the target decides
 * @throws TailwaterError as `createTarget`
 */
export function configuredTarget(
  given: OptionValues<typeof openOptions> & { readonly autoCommitInterval?: number | undefined },
  logger?: Logger,
): Promise<Target> {
  return createTarget(given.target, {
    url: given.targetUrl,
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
    requestTimeoutMs: given.requestTimeout * 1000,
    autoCommitInterval: given.autoCommitInterval,
    options: given.targetOption,
    own: given,
    ...(logger === undefined ? {} : { logger }),
  });
}
