// The clients of the source: how each is set up, whichever server it talks to.
import type { MongoAccess } from '@tailwater/runtime';
import { MongoClient } from 'mongodb';

const SERVER_SELECTION_TIMEOUT_MS = 15_000;
/** A tail of an idle oplog is quiet for its await time only; without this a silently dead peer would hold a read for ever. */
const SOCKET_TIMEOUT_MS = 120_000;

/** How the source is reached: the connection string, and what is kept out of it. */
export interface SourceConnection {
  /** With what is secret in it. */
  readonly uri: string;
  readonly access: MongoAccess;
}

/** Nothing is connected yet. What the driver throws is about the connection string. */
export const createSourceClient = ({ uri, access }: SourceConnection): MongoClient =>
  new MongoClient(uri, {
    ...access,
    appName: 'tailwater-producer',
    serverSelectionTimeoutMS: SERVER_SELECTION_TIMEOUT_MS,
    socketTimeoutMS: SOCKET_TIMEOUT_MS,
  });
