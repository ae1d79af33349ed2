// Which member of the replica set is its primary, for the log: elections and outages are felt by everything else here.
import { formatDuration, type Logger } from '@tailwater/runtime';
import type { MongoClient, TopologyDescription } from 'mongodb';

/** From now on; the driver looks at every member all the time. A mongos has no primary, and nothing is said of it. */
export function logPrimaries(client: MongoClient, logger: Logger): void {
  let primary: string | undefined;
  let lostAtMs: number | undefined;
  client.on('topologyDescriptionChanged', ({ newDescription }) => {
    const now = primaryOf(newDescription);
    if (now === primary) return;
    if (now === undefined) {
      lostAtMs = performance.now();
      logger.warn({ primary }, `The primary ${primary} is none any more, or cannot be reached; waiting for the replica set to have one`);
    } else if (lostAtMs !== undefined) {
      const seconds = (performance.now() - lostAtMs) / 1000;
      lostAtMs = undefined;
      logger.info({ primary: now, seconds: Math.round(seconds) }, `The primary is ${now}, after ${formatDuration(seconds)} without one`);
    } else if (primary !== undefined) logger.info({ primary: now, before: primary }, `The primary is ${now} now; it was ${primary}`);
    primary = now;
  });
}

function primaryOf({ servers }: TopologyDescription): string | undefined {
  return [...servers.values()].find(({ type }) => type === 'RSPrimary')?.address;
}
