// `stack up`: the named servers until Ctrl-C.
import { once } from 'node:events';
import { Artifacts } from '../artifacts/artifacts.js';
import { startAll, stopAll } from '../start-all.js';
import { parsePorts } from './ports.js';
import { type NamedServer, SERVERS, type ServerName } from './servers.js';

/**
 * Starts the servers, prints their URLs as one line of JSON to stdout, and stops them at SIGINT or SIGTERM.
 *
 * @throws {DevstackError} when one does not come up; the others are stopped then
 */
export async function up(names: readonly ServerName[], ports: string): Promise<void> {
  const chosen = [...new Set(names)];
  const portOf = parsePorts(ports, chosen);
  // Ends at once while the servers are starting: they go with this process.
  const early = () => process.exit(0);
  process.on('SIGINT', early).on('SIGTERM', early);
  const artifacts = new Artifacts();
  const start = (name: ServerName) => {
    const port = portOf.get(name);
    const server: NamedServer = SERVERS[name];
    return server.start({ artifacts, ...(port === undefined ? {} : { port }) });
  };
  const servers = await startAll(Object.fromEntries(chosen.map((name) => [name, () => start(name)])));
  const stopped = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  process.off('SIGINT', early).off('SIGTERM', early);
  process.stdout.write(`${JSON.stringify(Object.fromEntries(Object.entries(servers).map(([name, { url }]) => [name, url])))}\n`);
  process.stderr.write('up; Ctrl-C stops the servers and removes their data\n');
  await stopped;
  // npm passes a signal on that the terminal has sent already: a second one is not impatience.
  process.on('SIGINT', () => undefined).on('SIGTERM', () => undefined);
  await stopAll(Object.values(servers));
  process.exit(0);
}
