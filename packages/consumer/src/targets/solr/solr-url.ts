// What the target's URL says of Solr: where the server is, who writes, and a core or collection when it names one.

export interface SolrAddress {
  /** `http://host:8983` */
  readonly origin: string;
  /** Where Solr is on the server, mostly `/solr`. */
  readonly path: string;
  /** The core or collection that takes every namespace; undefined when each namespace has its own. */
  readonly core: string | undefined;
  /** The Authorization header for the URL's user and password. */
  readonly authorization: string | undefined;
}

/** `http://user:password@host:8983/solr/core`, or without the core; undefined when it is neither. */
export function parseSolrUrl(text: string): SolrAddress | undefined {
  if (!URL.canParse(text)) return undefined;
  try {
    return addressOf(text);
  } catch {
    // A % that begins no escape, such as one in a password that was not escaped.
    return undefined;
  }
}

function addressOf(text: string): SolrAddress | undefined {
  const { protocol, origin, pathname, username, password } = new URL(text);
  if (protocol !== 'http:' && protocol !== 'https:') return undefined;
  const segments = pathname.split('/').filter((segment) => segment !== '');
  const last = segments.at(-1);
  if (last === undefined) return undefined;
  const isServer = last === 'solr' && segments.at(-2) !== 'solr';
  const folders = isServer ? segments : segments.slice(0, -1);
  if (folders.length === 0) return undefined;
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return {
    origin,
    path: `/${folders.join('/')}`,
    core: isServer ? undefined : decodeURIComponent(last),
    authorization: username === '' ? undefined : `Basic ${Buffer.from(credentials).toString('base64')}`,
  };
}
