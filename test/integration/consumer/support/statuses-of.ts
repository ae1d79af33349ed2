import type { ChangeResult } from '@tailwater/consumer';

/** How the changes of a batch ended; where a place refuses them, its refusal is thrown. */
export function statusesOf(results: readonly ChangeResult[]): string[] {
  const refusal = results.find((result) => result.status === 'rejected' && result.scope === 'place');
  if (refusal?.status === 'rejected') throw Object.assign(new Error(refusal.reason), { code: refusal.code });
  return results.map(({ status }) => status);
}
