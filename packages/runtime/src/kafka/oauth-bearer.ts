// SASL OAUTHBEARER for kafkajs, https://www.rfc-editor.org/rfc/rfc7628, whose own takes a refused token for an accepted one, and a
// broker that goes away meanwhile for one that refused.
import type { AuthenticationProviderArgs, Mechanism } from 'kafkajs';
import type { TokenSource } from './token-source.js';

const SEPARATOR = '\u0001';
const LENGTH_BYTES = 4;

/** kafkajs wants the length before the text, and gives it back so. */
const sized = (text: string) => ({
  encode: () => {
    const content = Buffer.from(text);
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeInt32BE(content.length);
    return Buffer.concat([length, content]);
  },
});
/** Empty when the token was accepted; else why not, as JSON. */
const challenge = { decode: (raw: Buffer) => raw.subarray(LENGTH_BYTES), parse: (data: Buffer) => data.toString() };

/** What goes into kafkajs's `sasl`. That there is no token at the moment is to it a broker that it cannot connect to, which it tries again. */
export function oauthBearer(source: TokenSource): Mechanism {
  let accepted: string | undefined;
  const authenticate = async ({ host, port, saslAuthenticate }: AuthenticationProviderArgs): Promise<void> => {
    const token = await source.token().catch((cause: Error) => {
      throw cannotConnect(cause.message, `${host}:${port}`, cause);
    });
    const request = sized(`n,,${SEPARATOR}auth=Bearer ${token}${SEPARATOR}${SEPARATOR}`);
    const refusal = await saslAuthenticate({ request, response: challenge });
    if (typeof refusal !== 'string' || refusal === '') {
      accepted = token;
      return;
    }
    source.forget(token);
    // It was good, and has run out or been revoked since: the next attempt comes with a newer one.
    if (token === accepted) throw cannotConnect('The token is no longer accepted', `${host}:${port}`);
    // The broker answers to this with the error.
    await saslAuthenticate({ request: sized(SEPARATOR) });
  };
  return { mechanism: 'oauthbearer', authenticationProvider: (given) => ({ authenticate: () => authenticate(given) }) };
}

/** kafkajs knows its errors by name, and exports none to ES modules. */
const cannotConnect = (message: string, broker: string, cause?: Error): Error =>
  Object.assign(new Error(message, { cause }), { name: 'KafkaJSConnectionError', retriable: true, broker });
