// What is wrong with a MongoDB connection string, said before anything is connected: the driver's own words name an option, and neither
// that it does not exist nor which one was probably meant.

import { errorCodes } from '../errors/catalogue.js';
import { redactAddress, redactError } from '../errors/redact.js';
import { TailwaterError } from '../errors/tailwater-error.js';
import { suggest } from '../text/nearest.js';

/** https://www.mongodb.com/docs/manual/reference/connection-string-options/ and those that the driver adds; case does not matter in them. */
const OPTIONS = [
  'appName',
  'authMechanism',
  'authMechanismProperties',
  'authSource',
  'compressors',
  'connectTimeoutMS',
  'directConnection',
  'family',
  'fsync',
  'heartbeatFrequencyMS',
  'j',
  'journal',
  'loadBalanced',
  'localThresholdMS',
  'maxConnecting',
  'maxIdleTimeMS',
  'maxPoolSize',
  'maxStalenessSeconds',
  'minHeartbeatFrequencyMS',
  'minPoolSize',
  'monitorCommands',
  'noDelay',
  'proxyHost',
  'proxyPassword',
  'proxyPort',
  'proxyUsername',
  'readConcernLevel',
  'readPreference',
  'readPreferenceTags',
  'replicaSet',
  'retryReads',
  'retryWrites',
  'serverMonitoringMode',
  'serverSelectionTimeoutMS',
  'socketTimeoutMS',
  'srvMaxHosts',
  'srvServiceName',
  'ssl',
  'timeoutMS',
  'tls',
  'tlsAllowInvalidCertificates',
  'tlsAllowInvalidHostnames',
  'tlsCAFile',
  'tlsCertificateKeyFile',
  'tlsCertificateKeyFilePassword',
  'tlsCRLFile',
  'tlsInsecure',
  'w',
  'waitQueueTimeoutMS',
  'wTimeout',
  'wTimeoutMS',
  'zlibCompressionLevel',
];
const LOWER = new Set(OPTIONS.map((name) => name.toLowerCase()));

/** Whether there is an option of this name; case does not matter. */
export const isConnectionOption = (name: string): boolean => LOWER.has(name.toLowerCase());

/**
 * Makes a client, of whatever driver; nothing may be connected by that.
 *
 * @throws TailwaterError TW1045 for an option that does not exist, else what `malformed` makes of the driver's error, without secrets
 */
export function withConnectionString<T>(uri: string, make: () => T, malformed: (cause: unknown) => TailwaterError): T {
  try {
    return make();
  } catch (error) {
    const unknown = optionsOf(uri).find((name) => !isConnectionOption(name));
    if (unknown === undefined) throw malformed(redactError(error, uri));
    const params = { address: redactAddress(uri), option: unknown, suggestion: suggest(unknown, OPTIONS) };
    throw new TailwaterError(errorCodes.UNKNOWN_CONNECTION_OPTION, params);
  }
}

/** The coded error where the DNS did not say which servers a mongodb+srv name stands for: it is Node's own, by what was asked. */
export function srvFailure(error: unknown, address: string): TailwaterError | undefined {
  if (!(error instanceof Error && 'syscall' in error && 'code' in error)) return undefined;
  const asked = String(error.syscall);
  if (asked !== 'querySrv' && asked !== 'queryTxt') return undefined;
  return new TailwaterError(errorCodes.SRV_NAME_WITHOUT_SERVERS, { address, reason: String(error.code) }, { cause: error });
}

/** A file that a connection string names is read only when something is connected. */
export const isMissingFile = (error: unknown): boolean => error instanceof Error && 'syscall' in error && error.syscall === 'open';

function optionsOf(uri: string): string[] {
  const at = uri.indexOf('?');
  return at < 0 ? [] : [...new URLSearchParams(uri.slice(at + 1)).keys()];
}
