// How important a line must be to be written: one level for all, and others for single components.

import { errorCodes } from '../errors/catalogue.js';
import { TailwaterError } from '../errors/tailwater-error.js';
import { suggest } from '../text/nearest.js';
import { LOG_COMPONENTS } from './log-components.js';

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface LogLevels {
  readonly level: LogLevel;
  readonly components: ReadonlyMap<string, LogLevel>;
}

/**
 * `info`, `kafka=warn`: each a level, for all that no other names or for one component. The last one wins.
 *
 * @throws TailwaterError TW1080 what is no level, or no component
 */
export function parseLogLevels(texts: readonly string[]): LogLevels {
  let level: LogLevel = 'info';
  const components = new Map<string, LogLevel>();
  for (const text of texts) {
    const equals = text.indexOf('=');
    const given = toLevel(text, text.slice(equals + 1));
    if (equals < 0) level = given;
    else components.set(toComponent(text, text.slice(0, equals).trim()), given);
  }
  return { level, components };
}

function toLevel(text: string, given: string): LogLevel {
  const level = LOG_LEVELS.find((each) => each === given.trim().toLowerCase());
  if (level !== undefined) return level;
  throw new TailwaterError(errorCodes.BAD_LOG_LEVEL, {
    text,
    reason: `there is no level ${JSON.stringify(given)}${suggest(given, LOG_LEVELS)}`,
  });
}

function toComponent(text: string, given: string): string {
  const component = LOG_COMPONENTS.find((each) => each === given.toLowerCase());
  if (component !== undefined) return component;
  throw new TailwaterError(errorCodes.BAD_LOG_LEVEL, {
    text,
    reason: `there is no component ${JSON.stringify(given)}${suggest(given, LOG_COMPONENTS)}`,
  });
}
