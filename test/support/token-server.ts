// A token server for a test, with the list of keys that brokers check its tokens by: it can be away, and say how long tokens are good.
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const KEY_ID = 'test';

export class TestTokenServer implements AsyncDisposable {
  static readonly audience = 'kafka';
  static readonly issuer = 'https://tokens.example';
  /** Of the tokens that it gives from now on. */
  lifetimeSeconds = 300;
  /** Answers 503 while it is true; the keys are still there. */
  isAway = false;
  /** Tokens given, and requests that came while it was away. */
  given = 0;
  missed = 0;
  /** Bodies of the requests that got a token. */
  readonly bodies: string[] = [];
  readonly #clients: ReadonlyMap<string, string>;
  readonly #server: Server;
  readonly #privateKey: KeyObject;
  readonly #jwks: string;

  private constructor(clients: Readonly<Record<string, string>>) {
    this.#clients = new Map(Object.entries(clients));
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    this.#privateKey = privateKey;
    this.#jwks = JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: KEY_ID, alg: 'RS256', use: 'sig' }] });
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  /** @param clients - secrets by id; a client's id is the user of its tokens */
  static async start(clients: Readonly<Record<string, string>>): Promise<TestTokenServer> {
    const server = new TestTokenServer(clients);
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    return server;
  }

  get tokenUrl(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/token`;
  }

  /** For a broker. */
  get checkedBy(): { jwksUrl: string; audience: string; issuer: string } {
    const { audience, issuer } = TestTokenServer;
    return { jwksUrl: this.tokenUrl.replace('/token', '/jwks'), audience, issuer };
  }

  /** @param claims - in place of what it would say */
  token(user: string, claims: Record<string, unknown> = {}): string {
    const now = Math.floor(Date.now() / 1000);
    const all = {
      sub: user,
      aud: TestTokenServer.audience,
      iss: TestTokenServer.issuer,
      iat: now,
      exp: now + this.lifetimeSeconds,
      ...claims,
    };
    const content = `${base64({ alg: 'RS256', kid: KEY_ID })}.${base64(all)}`;
    return `${content}.${sign('sha256', Buffer.from(content), this.#privateKey).toString('base64url')}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.url === '/jwks') {
      response.setHeader('content-type', 'application/json').end(this.#jwks);
      return;
    }
    let body = '';
    for await (const chunk of request) body += String(chunk);
    if (this.isAway) {
      this.missed += 1;
      response.writeHead(503).end();
      return;
    }
    const [id = '', secret = ''] = basic(request.headers.authorization);
    if (this.#clients.get(id) !== secret) {
      response.writeHead(401, { 'content-type': 'application/json' }).end('{"error":"invalid_client"}');
      return;
    }
    this.given += 1;
    this.bodies.push(body);
    response
      .setHeader('content-type', 'application/json')
      .end(JSON.stringify({ access_token: this.token(id), token_type: 'Bearer', expires_in: this.lifetimeSeconds }));
  }
}

const base64 = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

const basic = (header = ''): string[] =>
  Buffer.from(header.replace(/^Basic /, ''), 'base64')
    .toString()
    .split(':')
    .map(decodeURIComponent);
