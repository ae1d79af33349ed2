// Which release this is: that of this package, which all of them share.
import { createRequire } from 'node:module';

export function ownVersion(): string {
  const { version } = createRequire(import.meta.url)('../../package.json') as { version: string };
  return version;
}
