// Secrets from files: `file:/run/secrets/kafka` instead of the secret itself, as orchestrators mount them. So no secret need stand
// on a command line, where everyone on the machine sees it, or in a configuration file.
import { errorCodes } from '../errors/catalogue.js';
import { describeReadFailure, readText } from '../errors/describe-read-failure.js';
import { TailwaterError } from '../errors/tailwater-error.js';

const SCHEME = 'file:';

/**
 * The content of the file that the value names, without the white space at its end; any other value as it is.
 *
 * @param option - where the value comes from, for messages: `--kafka-password`
 * @throws TailwaterError TW1017 when the file cannot be read, TW1044 when it is empty
 */
export function resolveSecret(value: string, option: string): string {
  if (!value.startsWith(SCHEME)) return value;
  const file = value.slice(SCHEME.length).replace(/^\/\/(?=\/)/, '');
  let text: string;
  try {
    text = readText(file).trimEnd();
  } catch (cause) {
    throw new TailwaterError(errorCodes.SECRET_FILE_UNREADABLE, { file, option, reason: describeReadFailure(cause) }, { cause });
  }
  if (text === '') throw new TailwaterError(errorCodes.SECRET_FILE_EMPTY, { file, option });
  return text;
}
