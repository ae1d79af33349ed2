// How both processes are told to authenticate at Kafka: user and password, or tokens.

import type { SASLOptions } from 'kafkajs';
import { missingOption } from '../config/load-options.js';
import { flagName, type OptionValues } from '../config/option.js';
import { configOptions } from '../config/schema/configuration.js';
import { errorCodes } from '../errors/catalogue.js';
import { TailwaterError } from '../errors/tailwater-error.js';
import { readTlsFiles } from '../tls/tls-files.js';
import type { KafkaConnection } from './connection.js';
import { oauthBearer } from './oauth-bearer.js';
import { TokenServer, type TokenSource, tokenFile } from './token-source.js';

const { kafkaSasl, kafkaUser, kafkaPassword, kafkaOauthTokenUrl, kafkaOauthScope, kafkaOauthTlsCa, kafkaOauthTokenFile } = configOptions;
const oauth = { kafkaOauthTokenUrl, kafkaOauthScope, kafkaOauthTlsCa, kafkaOauthTokenFile } as const;

export const saslOptions = { kafkaSasl, kafkaUser, kafkaPassword, ...oauth } as const;

type Given = OptionValues<typeof saslOptions>;

/** @throws TailwaterError TW1006, TW1007, TW1015, and as `readTlsFiles` does */
export function saslOf(given: Given): Pick<KafkaConnection, 'sasl' | 'tokens'> {
  const { kafkaSasl: mechanism, kafkaUser: username, kafkaPassword: password } = given;
  if (mechanism === 'oauthbearer') {
    const tokens = tokenSource(given);
    return { sasl: oauthBearer(tokens), tokens };
  }
  for (const name of Object.keys(oauth) as (keyof typeof oauth)[]) {
    if (given[name] === undefined) continue;
    if (mechanism === undefined) throw missingOption('kafkaSasl');
    throw excludes('kafkaSasl', name, `${mechanism} knows no tokens`);
  }
  if (mechanism === undefined && username === undefined && password === undefined) return {};
  if (username === undefined) throw missingOption('kafkaUser');
  if (mechanism === undefined) throw missingOption('kafkaSasl');
  if (password === undefined) throw missingOption('kafkaPassword');
  return { sasl: { mechanism, username, password } as SASLOptions };
}

function tokenSource(given: Given): TokenSource {
  const { kafkaOauthTokenUrl: url, kafkaOauthTokenFile: file, kafkaUser: clientId, kafkaPassword: clientSecret } = given;
  if (file !== undefined) {
    const other = (['kafkaOauthTokenUrl', 'kafkaUser', 'kafkaPassword'] as const).find((name) => given[name] !== undefined);
    if (other !== undefined) throw excludes('kafkaOauthTokenFile', other, 'the file holds the token already');
    return tokenFile(file);
  }
  if (url === undefined) throw missingOption('kafkaOauthTokenUrl');
  if (clientId === undefined) throw missingOption('kafkaUser');
  if (clientSecret === undefined) throw missingOption('kafkaPassword');
  const ca = readTlsFiles({ flag: '--kafka-oauth-tls', ca: given.kafkaOauthTlsCa })?.ca;
  return new TokenServer({ url: parseUrl(url), clientId, clientSecret, scope: given.kafkaOauthScope, ca });
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && /^https?:$/.test(url.protocol)) return url;
  const expected = 'https://host/path';
  throw new TailwaterError(errorCodes.WRONG_FLAG_VALUE, { flag: flagName('kafkaOauthTokenUrl'), expected, actual: 'something else' });
}

const excludes = (first: keyof Given, second: keyof Given, reason: string): TailwaterError =>
  new TailwaterError(errorCodes.OPTIONS_EXCLUDE_EACH_OTHER, { first: flagName(first), second: flagName(second), reason });
