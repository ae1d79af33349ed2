// Solr's security.json for Basic authentication and rights by role:
// https://solr.apache.org/guide/solr/latest/deployment-guide/basic-authentication-plugin.html
import { createHash, randomBytes } from 'node:crypto';
import type { SolrAuth, SolrUser } from './options.js';

export function securityJson({ admin, users }: SolrAuth): string {
  const everyone: readonly SolrUser[] = [admin, ...users];
  const permissions = [...new Set(users.flatMap((user) => user.permissions))].map((name) => ({
    name,
    role: [admin, ...users.filter((user) => user.permissions.includes(name))].map((user) => user.name),
  }));
  return JSON.stringify({
    authentication: {
      class: 'solr.BasicAuthPlugin',
      blockUnknown: true,
      credentials: Object.fromEntries(everyone.map(({ name, password }) => [name, credential(password)])),
    },
    authorization: {
      class: 'solr.RuleBasedAuthorizationPlugin',
      // The first that matches decides; each user has a role of its own.
      permissions: [...permissions, { name: 'all', role: admin.name }],
      'user-role': Object.fromEntries(everyone.map(({ name }) => [name, name])),
    },
  });
}

export const basic = ({ name, password }: SolrUser): string => `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;

/** Hash and salt, as Solr wants them. */
function credential(password: string): string {
  const salt = randomBytes(16);
  const once = createHash('sha256').update(salt).update(password, 'utf8').digest();
  return `${createHash('sha256').update(once).digest('base64')} ${salt.toString('base64')}`;
}
