// Whether the target answers while there is nothing to apply. With changes to apply its health tells, in words of its own.
import { type Logger, PeerWatch } from '@tailwater/runtime';
import type { Target } from '../targets/target.js';
import type { TargetHealth } from './target-health.js';

/** @param address - without its password */
export function targetWatch(
  target: Pick<Target, 'ping'>,
  address: string,
  health: Pick<TargetHealth, 'failure'>,
  logger: Logger,
): PeerWatch {
  const ask = async (signal: AbortSignal): Promise<void> => target.ping?.(signal);
  return new PeerWatch('target', `The target at ${address}`, { ask, logger, isToBeTold: () => health.failure === undefined });
}
