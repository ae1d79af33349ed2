// How the client reaches Elasticsearch: its nodes, a cloud id, credentials, TLS. Nodes are never asked for others (sniffing), because
// behind a proxy or in the cloud their own addresses are not reachable.
import { isIP } from 'node:net';
import { connect as tlsConnect } from 'node:tls';
import { type ClientOptions, errors } from '@elastic/elasticsearch';
import { errorCodes, redactAddress, TailwaterError, type TlsFailure, tlsFailure } from '@tailwater/runtime';
import type { ElasticsearchSettings } from './options.js';

const CLOUD = 'cloud:';
const PROBE_TIMEOUT_MS = 3_000;

/**
 * The client's options for `http://a:9200,http://b:9200`, or for `cloud:` and a cloud id.
 *
 * @throws TailwaterError TW1308 when the URL is malformed, TW1340 when the cloud id is
 */
export function connectionOptions(url: string, settings: ElasticsearchSettings): ClientOptions {
  return {
    ...(url.startsWith(CLOUD) ? { cloud: { id: checkCloudId(url.slice(CLOUD.length)) } } : { nodes: nodesOf(url) }),
    ...(settings.auth === undefined ? {} : { auth: settings.auth }),
    ...(settings.tls === undefined ? {} : { tls: settings.tls }),
    compression: settings.compression ?? false,
    enableMetaHeader: false,
    // Sending again is the apply stage's business, which knows what must keep its order. The next attempt takes another node.
    maxRetries: 0,
    sniffOnStart: false,
    sniffOnConnectionFault: false,
    sniffInterval: false,
  };
}

/** A comma separates nodes only where the next one begins: a password may hold one. */
function nodesOf(url: string): string[] {
  const nodes = url.split(/,\s*(?=https?:\/\/)/);
  for (const node of nodes) {
    if (!/^https?:$/.test(URL.canParse(node) ? new URL(node).protocol : ''))
      throw new TailwaterError(errorCodes.MALFORMED_TARGET_URL, { address: redactAddress(node) });
  }
  return nodes;
}

/** `name:` and base64 of `host$elasticsearch$kibana`. */
function checkCloudId(id: string): string {
  const [host = '', cluster = ''] = Buffer.from(id.slice(id.lastIndexOf(':') + 1), 'base64')
    .toString('utf8')
    .split('$');
  if (id.includes(':') && cluster !== '' && URL.canParse(`https://${cluster}.${host}`)) return id;
  throw new TailwaterError(errorCodes.MALFORMED_CLOUD_ID, { id });
}

/** Why TLS to the first of the nodes fails, if that is what fails: the client's own error does not tell. */
export async function probeTls(error: unknown, url: string, { tls }: ElasticsearchSettings): Promise<TlsFailure | undefined> {
  if (!(error instanceof errors.ConnectionError) || !url.startsWith('https:')) return undefined;
  const { hostname, port } = new URL(nodesOf(url)[0] ?? url);
  return new Promise((resolve) => {
    const name = isIP(hostname) === 0 ? { servername: hostname } : {};
    const socket = tlsConnect({ host: hostname, port: Number(port || 443), timeout: PROBE_TIMEOUT_MS, ...name, ...tls });
    const end = (failure: unknown) => {
      socket.destroy();
      resolve(tlsFailure(failure));
    };
    // A server that refuses the client's certificate says so only after the handshake, so a request must go over it.
    socket.on('secureConnect', () => socket.write('GET / HTTP/1.0\r\n\r\n'));
    socket.on('data', () => end(undefined));
    socket.on('close', () => end(undefined));
    socket.on('error', end);
    socket.on('timeout', () => end(undefined));
  });
}
