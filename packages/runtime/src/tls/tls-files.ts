// The PEM files that the options of a hop name, read and checked before anything is connected: a certificate that has expired, or
// that is not the key's, would fail at the other end with an error that says neither.

import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { missingOption } from '../config/load-options.js';
import { errorCodes } from '../errors/catalogue.js';
import { TailwaterError } from '../errors/tailwater-error.js';

/** What an option says, and which one it was. */
export interface TlsFileOptions {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly keyPassword?: string | undefined;
  /** What the flags begin with: `--kafka-tls` for `--kafka-tls-ca`, `--kafka-tls-cert`, `--kafka-tls-key`. */
  readonly flag: string;
}

/** PEM texts, as `tls.connect` and `https.createServer` take them. */
export interface TlsMaterial {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly passphrase?: string;
}

const CERTIFICATE = /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[\s\S]*?-----END (?:TRUSTED |X509 )?CERTIFICATE-----/g;
const PRIVATE_KEY = /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----/;

/**
 * The files' contents; undefined when no file is named. A certificate without a key file has its key in the same file.
 *
 * @throws TailwaterError TW1007 a key without a certificate, TW1017 unreadable, TW1040 not PEM, TW1041 expired or not valid yet,
 *   TW1042 a key that is another certificate's, TW1043 a key that its password does not open
 */
export function readTlsFiles(given: TlsFileOptions, now: Date = new Date()): TlsMaterial | undefined {
  if (given.key !== undefined && given.cert === undefined) throw missing(`${given.flag}-cert`);
  if (given.ca === undefined && given.cert === undefined) return undefined;
  return { ...(given.ca === undefined ? {} : { ca: readCa(given.ca, `${given.flag}-ca`, now) }), ...readClient(given, now) };
}

/** A bundle may hold CAs that have expired, as long as one has not. */
function readCa(file: string, option: string, now: Date): string {
  const text = read(file, option);
  const certificates = certificatesOf(text, file, option);
  if (!certificates.some((certificate) => isValid(certificate, now))) checkValidity(certificates[0] as X509Certificate, file, option, now);
  return text;
}

function readClient({ cert: file, key: keyFile, keyPassword, flag }: TlsFileOptions, now: Date): TlsMaterial {
  if (file === undefined) return {};
  const cert = read(file, `${flag}-cert`);
  // The first one is the holder's own, those behind it lead to the CA.
  const [certificate] = certificatesOf(cert, file, `${flag}-cert`);
  checkValidity(certificate as X509Certificate, file, `${flag}-cert`, now);
  if (keyFile === undefined && !PRIVATE_KEY.test(cert)) throw missing(`${flag}-key`);
  const key = keyFile === undefined ? cert : read(keyFile, `${flag}-key`);
  const place = { file: keyFile ?? file, option: keyFile === undefined ? `${flag}-cert` : `${flag}-key` };
  if (!PRIVATE_KEY.test(key)) throw new TailwaterError(errorCodes.NO_PEM_IN_A_FILE, { ...place, what: 'private key' });
  const privateKey = openKey(key, keyPassword, place, `${flag}-key-password`);
  if (!(certificate as X509Certificate).checkPrivateKey(privateKey))
    throw new TailwaterError(errorCodes.KEY_DOES_NOT_MATCH_CERTIFICATE, { key: place.file, certificate: file });
  return { cert, key, ...(keyPassword === undefined ? {} : { passphrase: keyPassword }) };
}

function openKey(pem: string, passphrase: string | undefined, place: { file: string; option: string }, flag: string): KeyObject {
  try {
    return createPrivateKey({ key: pem, ...(passphrase === undefined ? {} : { passphrase }) });
  } catch (cause) {
    throw new TailwaterError(errorCodes.PRIVATE_KEY_NOT_OPENED, { ...place, flag }, { cause });
  }
}

function certificatesOf(text: string, file: string, option: string): X509Certificate[] {
  try {
    const certificates = (text.match(CERTIFICATE) ?? []).map((pem) => new X509Certificate(pem));
    if (certificates.length > 0) return certificates;
  } catch (cause) {
    throw new TailwaterError(errorCodes.NO_PEM_IN_A_FILE, { file, option, what: 'certificate' }, { cause });
  }
  throw new TailwaterError(errorCodes.NO_PEM_IN_A_FILE, { file, option, what: 'certificate' });
}

const isValid = ({ validFrom, validTo }: X509Certificate, now: Date): boolean => new Date(validFrom) <= now && now <= new Date(validTo);

function checkValidity(certificate: X509Certificate, file: string, option: string, now: Date): void {
  if (isValid(certificate, now)) return;
  const [from, to] = [new Date(certificate.validFrom), new Date(certificate.validTo)];
  const problem = now > to ? `expired at ${to.toISOString()}` : `is valid from ${from.toISOString()} only`;
  throw new TailwaterError(errorCodes.CERTIFICATE_EXPIRED, { file, option, problem });
}

function read(file: string, option: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new TailwaterError(
      errorCodes.SECRET_FILE_UNREADABLE,
      { file, option, reason: (cause as NodeJS.ErrnoException).code ?? 'unknown' },
      { cause },
    );
  }
}

const missing = (flag: string): TailwaterError =>
  missingOption(flag.slice(2).replace(/-(.)/g, (_dash, letter: string) => letter.toUpperCase()));
