// Why none of a replica set's members was taken, where there are some: the driver says only that it waited for one.
import { errorCodes } from '../errors/catalogue.js';
import { TailwaterError } from '../errors/tailwater-error.js';

const MEMBERS: Readonly<Record<string, string>> = {
  RSPrimary: 'the primary',
  RSSecondary: 'the secondary',
  RSArbiter: 'the arbiter',
  RSOther: 'the starting or recovering member',
};

/** What is used of the driver's MongoServerSelectionError. */
interface SelectionError {
  readonly reason?: {
    readonly setName?: string | null | undefined;
    readonly servers?: ReadonlyMap<string, { readonly type: string; readonly address: string }>;
  };
}

/** TW1149 where no member is the one that is asked for, TW1047 where the set has another name; undefined where no member was seen. */
export function memberFailure(error: Error & SelectionError, address: string): TailwaterError | undefined {
  const cause = { cause: error };
  const servers = [...(error.reason?.servers?.values() ?? [])];
  const known = servers.filter(({ type }) => MEMBERS[type] !== undefined);
  if (known.length > 0) {
    const members = known.map((server) => `${MEMBERS[server.type]} ${server.address}`).join(', ');
    const wanted = known.some(({ type }) => type === 'RSPrimary') ? 'the read preference' : 'a primary, or the read preference';
    return new TailwaterError(errorCodes.NO_SUITABLE_MEMBER, { address, wanted, members }, cause);
  }
  // A server that says another name than the connection string is not counted among the servers any more.
  const name = error.reason?.setName;
  return servers.length === 0 && typeof name === 'string'
    ? new TailwaterError(errorCodes.OTHER_REPLICA_SET, { address, name }, cause)
    : undefined;
}
