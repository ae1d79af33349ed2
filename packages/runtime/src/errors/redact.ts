// Keeps secrets out of everything that people read: passwords inside URIs, and the values of keys that name a secret.
// It errs on the side of hiding too much.

export const REDACTED = '***';

// `scheme://user:password@`: a raw password may hold @ and /, so it ends at the last @ of the word, unless the next URI of
// a list begins first (or after 4096 characters, to bound the search). Digits after the colon that a / ? # , or the end follows are a port.
const USER_INFO =
  /([a-z][a-z0-9+.-]*:\/\/[^\s:/@"<>]*):(?!\d{1,5}(?:[/?#,\s"'<>]|$))(?:(?!,[a-z][a-z0-9+.-]*:\/\/)(?:\\"|[^\s"<>])){0,4096}@/gi;

/** How names of keys end whose values are secrets: `password`, `apiKey`, `sasl_password`, `client-secret`, `authToken`. A resume token is a position, no secret. */
const SECRET_NAME = '(?:password|passwd|passphrase|api[-_]?key|secret|(?<!resume[-_]?)token|authorization)';
const SECRET_KEY = new RegExp(`${SECRET_NAME}$`, 'i');

// `name=value`, `name: value`, `"name":"value"` and the same inside an escaped string.
const SECRET_PAIR = new RegExp(
  String.raw`(?<head>${SECRET_NAME}(?<quote>\\?["'])?\s*[:=]\s*)` +
    String.raw`(?:\\"(?<escaped>(?:[^"\\]|\\[^"])*)\\"|"(?<double>(?:[^"\\]|\\.)*)"|'(?<single>[^']*)'|(?<scheme>(?:Bearer|Basic|ApiKey)\s+)?[^\s"'\\,;&{}[\]]+)`,
  'gi',
);

/** Masks passwords in every URI inside the text. */
export function redactUrl(text: string): string {
  return text.includes('://') ? text.replace(USER_INFO, `$1:${REDACTED}@`) : text;
}

// What a mistyped URI may still hold: a user without a host behind it; characters that end a URI in a text; no `//`.
const USER_WITHOUT_HOST = /(:\/\/[^\s:/@,[\]]+):(?!\d{1,5}(?:[/?#,]|$))[^/?#,@]+(?=[/?#,]|$)/g;
const STRANGE_USER_INFO = /(:\/\/[^:@]*):.*[\s"<>].*@/s;
const BEFORE_AT = /^.*@/s;

/** Masks the password of a text that was given as a URI, even if it is not one. */
export function redactAddress(text: string): string {
  const masked = redactUrl(text);
  if (!text.includes('://')) return masked.replace(BEFORE_AT, `${REDACTED}@`);
  return masked.replace(STRANGE_USER_INFO, `$1:${REDACTED}@`).replace(USER_WITHOUT_HOST, `$1:${REDACTED}`);
}

/** The error, or one in its place when it repeats what {@link redactAddress} hides of the text. */
export function redactError(error: unknown, uri: string): unknown {
  const shown = redactAddress(uri);
  if (!(error instanceof Error) || shown === uri) return error;
  const [before = '', after = ''] = shown.split(REDACTED);
  const hidden = uri.slice(before.length, uri.length - after.length);
  return error.message.includes(hidden) ? new Error(error.message.replaceAll(hidden, REDACTED)) : error;
}

/** Masks passwords in URIs, and the values behind names such as password, apiKey, secret and token, anywhere in the text. */
export function redact(text: string): string {
  return redactUrl(text).replace(SECRET_PAIR, (...match) => {
    const { head = '', quote = '', escaped, double, single, scheme = '' } = match.at(-1) as Record<string, string | undefined>;
    if (escaped !== undefined) return `${head}\\"${REDACTED}\\"`;
    if (double !== undefined) return `${head}"${REDACTED}"`;
    if (single !== undefined) return `${head}'${REDACTED}'`;
    // A number or null behind a quoted name is JSON, and stays JSON.
    return `${head}${quote}${scheme}${REDACTED}${quote}`;
  });
}

/** Whether the value of a key of this name is a secret. */
export function isSecretName(name: string): boolean {
  return SECRET_KEY.test(name);
}
