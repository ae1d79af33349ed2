// The flag --ports: name=port, separated by commas.
import { DevstackError } from '../errors.js';
import type { ServerName } from './servers.js';

/**
 * Reads `mongo=27017,kafka=9092`.
 *
 * @throws {DevstackError} for what is no such pair, and for a server that is not among those being started
 */
export function parsePorts(text: string, started: readonly ServerName[]): Map<ServerName, number> {
  const pairs = text.split(',').filter((pair) => pair.trim() !== '');
  return new Map(
    pairs.map((pair) => {
      const match = /^\s*([a-z0-9]+)=(\d{1,5})\s*$/.exec(pair);
      const port = Number(match?.[2]);
      if (match === null || port < 1 || port > 65_535) throw new DevstackError(`--ports: ${pair} is not name=port, as in mongo=27017`);
      const name = started.find((candidate) => candidate === match[1]);
      if (name === undefined) throw new DevstackError(`--ports: ${match[1]} is not started; it starts ${started.join(', ')}`);
      return [name, port];
    }),
  );
}
