// `stack fetch`: fills the cache and starts nothing.
import { Artifacts } from '../artifacts/artifacts.js';
import { MissingPrerequisiteError } from '../errors.js';
import { type NamedServer, SERVER_NAMES, SERVERS, type ServerName } from './servers.js';

const NEEDS_NEWER_JAVA: ReadonlySet<ServerName> = new Set(['es9', 'registry']);

/**
 * Fetches what the named servers are made of; without names, what can be run on this machine.
 *
 * @throws {MissingPrerequisiteError} when a named one cannot be had here
 */
export async function fetchArtifacts(names: readonly ServerName[]): Promise<void> {
  const artifacts = new Artifacts();
  for (const name of names.length > 0 ? names : SERVER_NAMES) {
    const server: NamedServer = SERVERS[name];
    try {
      await server.fetch(artifacts);
    } catch (error) {
      const optional = names.length === 0 && NEEDS_NEWER_JAVA.has(name) && error instanceof MissingPrerequisiteError;
      if (!optional) throw error;
      process.stderr.write(`without ${server.title}: ${error.message}\n`);
    }
  }
  process.stderr.write(`${artifacts.directory} holds everything\n`);
}
