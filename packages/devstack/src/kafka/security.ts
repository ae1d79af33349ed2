// Secured listeners beside the plain one, which stays for devstack itself: what they add to server.properties, and their users.

/** Listeners by TLS and by SASL over TLS. Clients of the plain one may do everything. */
export interface KafkaSecurity {
  /** PEM files: the CA that clients' certificates are checked against, and the broker's certificate with its key. */
  readonly tls: { readonly ca: string; readonly both: string };
  /** Passwords by user, for PLAIN and for SCRAM. Neither may hold a quote or a comma. */
  readonly users?: Readonly<Record<string, string>>;
  /** Lets in by OAUTHBEARER. */
  readonly oauth?: KafkaOauth;
  /** Only clients of the plain listener may do what no ACL allows. */
  readonly acls?: boolean;
}

/** What a token must say, and the URL of the keys that its signature is checked by. */
interface KafkaOauth {
  readonly jwksUrl: string;
  readonly audience: string;
  readonly issuer: string;
}

export interface SecuredPorts {
  /** TLS, with a client certificate, which is the user. */
  readonly ssl: number;
  /** SASL over TLS. */
  readonly saslSsl: number;
}

const SCRAM = ['SCRAM-SHA-256', 'SCRAM-SHA-512'] as const;
const SECURITY = 'org.apache.kafka.common.security';

/** What is added to the lines of `brokerProperties`, which `plain` are. */
export function securityProperties(
  plain: Readonly<Record<string, string>>,
  { tls, users = {}, oauth, acls }: KafkaSecurity,
  ports: SecuredPorts,
): Record<string, string> {
  const listeners = `SSL://127.0.0.1:${ports.ssl},SASL_SSL://127.0.0.1:${ports.saslSsl}`;
  const plainUsers = Object.entries(users).map(([name, password]) => ` user_${name}="${password}"`);
  const sasl = 'listener.name.sasl_ssl';
  return {
    listeners: `${plain['listeners']},${listeners}`,
    'advertised.listeners': `${plain['advertised.listeners']},${listeners}`,
    'listener.security.protocol.map': `${plain['listener.security.protocol.map']},SSL:SSL,SASL_SSL:SASL_SSL`,
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': tls.both,
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': tls.ca,
    'listener.name.ssl.ssl.client.auth': 'required',
    [`${sasl}.sasl.enabled.mechanisms`]: ['PLAIN', ...SCRAM, ...(oauth === undefined ? [] : ['OAUTHBEARER'])].join(),
    [`${sasl}.plain.sasl.jaas.config`]: `${SECURITY}.plain.PlainLoginModule required${plainUsers.join('')};`,
    ...Object.fromEntries(
      SCRAM.map((name) => [`${sasl}.${name.toLowerCase()}.sasl.jaas.config`, `${SECURITY}.scram.ScramLoginModule required;`]),
    ),
    ...(oauth === undefined ? {} : oauthProperties(sasl, oauth)),
    ...(acls === true ? ACLS : {}),
  };
}

function oauthProperties(listener: string, oauth: KafkaOauth): Record<string, string> {
  return {
    [`${listener}.oauthbearer.sasl.jaas.config`]: `${SECURITY}.oauthbearer.OAuthBearerLoginModule required;`,
    [`${listener}.oauthbearer.sasl.server.callback.handler.class`]: `${SECURITY}.oauthbearer.OAuthBearerValidatorCallbackHandler`,
    [`${listener}.oauthbearer.sasl.oauthbearer.jwks.endpoint.url`]: oauth.jwksUrl,
    [`${listener}.oauthbearer.sasl.oauthbearer.expected.audience`]: oauth.audience,
    [`${listener}.oauthbearer.sasl.oauthbearer.expected.issuer`]: oauth.issuer,
    // A connection ends with its token, unless it is authenticated again; without this it lasts for ever.
    [`${listener}.oauthbearer.connections.max.reauth.ms`]: '3600000',
  };
}

const ACLS = {
  'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
  'super.users': 'User:ANONYMOUS',
};

/** Arguments of `StorageTool format`. */
export function scramUsers({ users = {} }: KafkaSecurity): string[] {
  return Object.entries(users).flatMap(([name, password]) =>
    SCRAM.flatMap((mechanism) => ['--add-scram', `${mechanism}=[name=${name},password=${password}]`]),
  );
}

/** Flags of the broker's JVM: it asks no server that is not on this list for keys. */
export function securityFlags({ oauth }: KafkaSecurity): string[] {
  return oauth === undefined ? [] : [`-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=${oauth.jwksUrl}`];
}
