// What `ps` shows of a process that was given a secret as a flag. Everyone on the machine may look, for as long as it runs.
import { REDACTED, redact } from '../errors/redact.js';

/**
 * The command line without secrets, when it has any.
 *
 * @param secretFlags - flags whose values are secrets: `--kafka-password`
 */
export function titleWithoutSecrets(argv: readonly string[], secretFlags: ReadonlySet<string>): string | undefined {
  let hidden = false;
  const words = argv.map((word, index) => {
    const equals = word.indexOf('=');
    const flag = equals < 0 ? word : word.slice(0, equals);
    const isValue = secretFlags.has(argv[index - 1] ?? '');
    const value = secretFlags.has(flag) && equals >= 0 ? word.slice(equals + 1) : isValue ? word : undefined;
    const shown = value === undefined ? word : `${word.slice(0, word.length - value.length)}${hide(value)}`;
    if (shown !== word) hidden = true;
    return shown;
  });
  return hidden ? words.join(' ') : undefined;
}

/** Of a URL everything but its password is worth seeing; a file's name is no secret. */
function hide(value: string): string {
  if (value.startsWith('file:')) return value;
  return value.includes('://') ? redact(value) : REDACTED;
}
