// The options of `start`, for commands that look at them and run without any.
import type { Options } from '../config/option.js';
import { isRequired } from '../config/option-value.js';

export function asOptional(options: Options): Options {
  const optional = Object.entries(options).map(([name, option]) => [
    name,
    isRequired(option) ? { ...option, schema: option.schema.optional() } : option,
  ]);
  return Object.fromEntries(optional) as Options;
}
