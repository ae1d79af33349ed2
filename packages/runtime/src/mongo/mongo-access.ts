// How a MongoDB server is told who connects, beyond what its connection string says: in the shape of the driver's options, so that
// neither a password nor the name of a file need stand in the string. What is given here beats the string.
import type { User } from '../config/user.js';
import type { TlsMaterial } from '../tls/tls-files.js';

/** https://mongodb.github.io/node-mongodb-native/7.0/interfaces/MongoClientOptions.html */
export interface MongoAccess extends TlsMaterial {
  readonly tls?: true;
  readonly auth?: { readonly username: string; readonly password: string };
}

export const mongoAccess = (user: User | undefined, tls: TlsMaterial | undefined): MongoAccess => ({
  ...(tls === undefined ? {} : { tls: true, ...tls }),
  ...(user === undefined ? {} : { auth: { username: user.name, password: user.password } }),
});
