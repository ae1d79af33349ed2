// Ports for servers that are killed and started again on the same port.
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { DevstackError } from '../errors.js';

// Below the range from which Linux (32768) and macOS (49152) take the local ports of outgoing connections. A port of
// that range can be taken while its server is down, even by the client that keeps trying to reconnect to it.
const FIRST = 15_000;
const LAST = 31_999;
const ATTEMPTS = 200;

/**
 * A TCP port of 127.0.0.1 on which nothing listens, between 15000 and 31999.
 *
 * @throws {DevstackError} when none is found
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const port = randomInt(FIRST, LAST + 1);
    if (await isFree(port)) return port;
  }
  throw new DevstackError(`No free port between ${FIRST} and ${LAST} in ${ATTEMPTS} attempts; stop some servers`);
}

/** Whether a server could listen on a port of 127.0.0.1 now. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}
