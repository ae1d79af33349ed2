// Who writes to the target, and how it is reached by TLS: the same options whichever target it is.
import { configOptions, type OptionValues, readTlsFiles, type TlsMaterial, type User, userOf } from '@tailwater/runtime';

const { targetUser, targetPassword, targetTlsCa, targetTlsCert, targetTlsKey, targetTlsKeyPassword } = configOptions;

export const accessOptions = { targetUser, targetPassword, targetTlsCa, targetTlsCert, targetTlsKey, targetTlsKeyPassword } as const;

export interface TargetAccess {
  /** Instead of those in the URL. */
  readonly user?: User;
  readonly tls?: TlsMaterial;
}

/** @throws TailwaterError TW1007 for half of a pair, TW1017 and TW1040 to TW1043 for files that are not usable */
export function targetAccess(given: OptionValues<typeof accessOptions>): TargetAccess {
  const files = { ca: given.targetTlsCa, cert: given.targetTlsCert, key: given.targetTlsKey, keyPassword: given.targetTlsKeyPassword };
  const tls = readTlsFiles({ flag: '--target-tls', ...files });
  const user = userOf('target', given.targetUser, given.targetPassword);
  return { ...(user === undefined ? {} : { user }), ...(tls === undefined ? {} : { tls }) };
}
