// Which rights a MongoDB user lacks, from what `connectionStatus` says that it has: asked before anything is read, so that the
// answer names all of them at once, and not one at three in the morning.
// https://www.mongodb.com/docs/manual/reference/resource-document/

export interface Resource {
  /** Empty: any database. */
  readonly db?: string;
  /** Empty: any collection that is not a system one. */
  readonly collection?: string;
  readonly cluster?: boolean;
  readonly anyResource?: boolean;
}

export interface Privilege {
  readonly resource: Resource;
  readonly actions: readonly string[];
}

/** The answer to `{connectionStatus: 1, showPrivileges: true}`, as far as it matters. */
export interface ConnectionStatus {
  readonly authInfo?: {
    readonly authenticatedUsers?: readonly object[];
    readonly authenticatedUserPrivileges?: readonly Privilege[];
  };
}

/**
 * What of `needed` the user was not given, each with the missing actions only. Nothing without authentication: either access
 * control is off, or the first command says so.
 */
export function missingPrivileges({ authInfo }: ConnectionStatus, needed: readonly Privilege[]): Privilege[] {
  if (authInfo?.authenticatedUserPrivileges === undefined || (authInfo.authenticatedUsers ?? []).length === 0) return [];
  const given = authInfo.authenticatedUserPrivileges;
  return needed.flatMap(({ resource, actions }) => {
    const covering = given.filter((privilege) => covers(privilege.resource, resource));
    const missing = actions.filter((action) => !covering.some((privilege) => privilege.actions.includes(action)));
    return missing.length === 0 ? [] : [{ resource, actions: missing }];
  });
}

function covers(given: Resource, needed: Resource): boolean {
  if (given.anyResource === true) return true;
  if (needed.cluster === true) return given.cluster === true;
  if (given.cluster === true || given.db === undefined || given.collection === undefined) return false;
  if (given.db !== '' && given.db !== needed.db) return false;
  if (given.collection === needed.collection) return true;
  // The empty name stands for all but system collections, and in `local` and `config` for nothing when the database is empty too.
  const isSystem = needed.collection?.startsWith('system.') === true;
  const isInternal = given.db === '' && (needed.db === 'local' || needed.db === 'config');
  return given.collection === '' && !isSystem && !isInternal;
}

/** `find on shop.orders; find, changeStream on every collection of shop`, for messages. */
export function describePrivileges(privileges: readonly Privilege[]): string {
  return privileges.map(({ resource, actions }) => `${actions.join(', ')} on ${describeResource(resource)}`).join('; ');
}

function describeResource({ db = '', collection = '', cluster }: Resource): string {
  if (cluster === true) return 'the cluster';
  if (collection !== '') return `${db === '' ? '*' : db}.${collection}`;
  return db === '' ? 'every database' : `every collection of ${db}`;
}

/** The argument of `db.grantPrivilegesToRole` for them, as mongosh takes it. */
export function grantOf(privileges: readonly Privilege[]): string {
  return JSON.stringify(privileges.map(({ resource, actions }) => ({ resource, actions })));
}
