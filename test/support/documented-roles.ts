// The roles that docs/07-security.md tells operators to make, made as it says.
import { readFile } from 'node:fs/promises';
import type { Privilege } from '@tailwater/runtime';
import type { MongoClient } from 'mongodb';

const CREATE_ROLE = /^db\.createRole\((\{[\s\S]*?^\})\)$/gm;

export interface DocumentedRole {
  readonly role: string;
  readonly privileges: readonly Privilege[];
}

export async function documentedRoles(): Promise<DocumentedRole[]> {
  const text = await readFile(new URL('../../docs/07-security.md', import.meta.url), 'utf8');
  // What mongosh would evaluate.
  return [...text.matchAll(CREATE_ROLE)].map(([, argument]) => new Function(`return ${argument}`)() as DocumentedRole);
}

export interface RoleUser {
  readonly username: string;
  readonly password: string;
}

/** A user with nothing but this role, or but part of it; a name can be used once. */
export async function userWithRole(root: MongoClient, name: string, { privileges }: Pick<DocumentedRole, 'privileges'>): Promise<RoleUser> {
  const admin = root.db('admin');
  const user = { username: name, password: `password of ${name}: %@/` };
  await admin.command({ createRole: name, privileges, roles: [] });
  await admin.command({ createUser: user.username, pwd: user.password, roles: [name] });
  return user;
}

/** The role once for each of its actions, without that one. */
export function withoutEach({
  privileges,
}: DocumentedRole): { readonly action: string; readonly on: string; readonly rest: Privilege[] }[] {
  return privileges.flatMap(({ resource, actions }, index) =>
    actions.map((action) => {
      const left = actions.filter((each) => each !== action);
      const rest = privileges.map((privilege, place) => (place === index ? { resource, actions: left } : privilege));
      const on = resource.collection === '' ? `every collection of ${resource.db}` : `${resource.db}.${resource.collection}`;
      return { action, on, rest: rest.filter((privilege) => privilege.actions.length > 0) };
    }),
  );
}
