// Which member of the replica set is its primary, for the log: elections and outages are felt by everything else here.
import { formatDuration, type Logger } from '@tailwater/runtime';
import type { MongoClient, TopologyDescription } from 'mongodb';

/** From now on; the driver looks at every member all the time. A mongos has no primary, and nothing is said of it. */
export function logPrimaries(client: MongoClient, logger: Logger): void {
  let lostAtMs: number | undefined;
  client.on('topologyDescriptionChanged', ({ previousDescription, newDescription }) => {
    const [before, primary] = [primaryOf(previousDescription), primaryOf(newDescription)];
    if (primary === before) return;
    if (primary === undefined) {
      lostAtMs = performance.now();
      logger.warn({ before }, `The primary ${before} stepped down or cannot be reached; waiting for a new primary`);
    } else if (lostAtMs !== undefined) {
      const seconds = (performance.now() - lostAtMs) / 1000;
      lostAtMs = undefined;
      logger.info({ primary, seconds: Math.round(seconds) }, `The primary is ${primary}, after ${formatDuration(seconds)} without one`);
    } else if (before !== undefined) logger.info({ primary, before }, `The primary is ${primary} now; it was ${before}`);
  });
}

function primaryOf({ servers }: TopologyDescription): string | undefined {
  return [...servers.values()].find(({ type }) => type === 'RSPrimary')?.address;
}
