// Why a TLS connection failed, from Node's and OpenSSL's codes, in words that say whose certificate to look at.

export interface TlsFailure {
  /** `CERT_HAS_EXPIRED` */
  readonly code: string;
  /** What is wrong, as the end of a sentence, with the code. */
  readonly reason: string;
}

/** Codes of https://nodejs.org/api/tls.html#x509-certificate-error-codes, and OpenSSL's alerts as Node names them. */
const REASONS: readonly (readonly [codes: RegExp, reason: string])[] = [
  [/^CERT_HAS_EXPIRED$/, 'the server’s certificate, or that of its CA, has expired'],
  [/^CERT_NOT_YET_VALID$/, 'the server’s certificate is not valid yet; or this machine’s clock is wrong'],
  [
    /^(?:ERR_TLS_CERT_ALTNAME_INVALID|HOSTNAME_MISMATCH)$/,
    'the server’s certificate is for other host names than the one that was connected to',
  ],
  [
    /^(?:SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT|UNABLE_TO_|CERT_SIGNATURE_FAILURE$|CERT_UNTRUSTED$|INVALID_CA$)/,
    'the server’s certificate was signed by a CA that is not trusted here',
  ],
  [/ALERT_(?:CERTIFICATE_REQUIRED|NO_CERTIFICATE)/, 'the server asks for a client certificate'],
  [
    /ALERT_(?:UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE_|UNSUPPORTED_CERTIFICATE|HANDSHAKE_FAILURE|ACCESS_DENIED|DECRYPT_ERROR)/,
    'the server refused this client’s certificate, or the lack of one',
  ],
  [/^ERR_SSL_(?:WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST|RECORD_LAYER)/, 'what answers there does not speak TLS'],
];

const TLS_CODE =
  /^(?:ERR_TLS|ERR_SSL|EPROTO$|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_)/;

const MAX_DEPTH = 10;

/** The failure that an error, or what it wraps, is about; undefined when that is not TLS. */
export function tlsFailure(error: unknown): TlsFailure | undefined {
  return find(error, MAX_DEPTH);
}

function find(error: unknown, depth: number): TlsFailure | undefined {
  if (typeof error !== 'object' || error === null || depth === 0) return undefined;
  const { code, cause, errors, reason } = error as { code?: unknown; cause?: unknown; errors?: unknown; reason?: unknown };
  if (typeof code === 'string' && TLS_CODE.test(code)) return describe(code);
  // A driver that found no server puts each server's error into its description of the servers.
  const servers = (reason as { servers?: unknown } | undefined)?.servers;
  const inner = [cause, ...(Array.isArray(errors) ? errors : [])];
  if (servers instanceof Map) for (const server of servers.values()) inner.push((server as { error?: unknown }).error);
  for (const link of inner) {
    const found = find(link, depth - 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

function describe(code: string): TlsFailure {
  const [, reason = 'the handshake failed'] = REASONS.find(([codes]) => codes.test(code)) ?? [];
  return { code, reason: `${reason} (${code})` };
}
