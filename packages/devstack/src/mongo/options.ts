// How a MongoDB is asked for.
import type { Artifacts } from '../artifacts/artifacts.js';

export interface MongoOptions {
  /** Members of the replica set; 1 by default. 0 starts a standalone mongod, which has no oplog. */
  readonly members?: 0 | 1 | 3;
  /** The last of the members is an arbiter: it votes and holds no data. Default false. */
  readonly arbiter?: boolean;
  /** Port of the first member; free ports by default. */
  readonly port?: number;
  readonly replicaSet?: string;
  /** Size of the capped oplog, in megabytes; 64 by default. An oplog of a few megabytes rolls over only with `syncDelaySeconds: 1`. */
  readonly oplogSizeMb?: number;
  /** Seconds between two checkpoints of the storage engine (`--syncdelay`); mongod's own default is 60. */
  readonly syncDelaySeconds?: number;
  /** Turns access control on: members authenticate by a key file, and a user `root` with this password is made. */
  readonly auth?: boolean;
  /** Every connection is by TLS. */
  readonly tls?: MongoTls;
  /** Further arguments for every mongod. */
  readonly args?: readonly string[];
  readonly artifacts?: Artifacts;
}

/** PEM files: of the CA, and of certificate and key in one, for the servers and for the devstack's own clients. */
export interface MongoTls {
  readonly ca: string;
  readonly both: string;
  /** Whether each client must show a certificate. Default false: it may. */
  readonly clientsMust?: boolean;
}

/** The user that `auth: true` makes, with the role `root` on `admin`. */
export interface MongoCredentials {
  readonly username: string;
  readonly password: string;
}
