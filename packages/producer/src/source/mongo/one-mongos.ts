// A client that talks to one mongos of those that a connection string names, for what must not be spread over several.
import type { MongoClient } from 'mongodb';
import { createSourceClient, type SourceConnection } from './client.js';

const CONNECTION_STRING = /^(mongodb(?:\+srv)?:\/\/(?:[^@/]*@)?)([^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/;

/** @param turn - which of them: another one at each opening, so that one that is down is not asked for ever */
export const connectOneMongos = ({ uri, access }: SourceConnection, turn: number): MongoClient =>
  createSourceClient({ uri: oneMongosUri(uri, turn), access });

export function oneMongosUri(uri: string, turn: number): string {
  const [, start = '', hosts = '', database = '', query = ''] = CONNECTION_STRING.exec(uri) ?? [];
  if (start.startsWith('mongodb+srv:')) {
    const parameters = new URLSearchParams(query);
    for (const name of [...parameters.keys()]) if (name.toLowerCase() === 'srvmaxhosts') parameters.delete(name);
    parameters.set('srvMaxHosts', '1'); // The driver takes one of the record's hosts at random.
    return `${start}${hosts}/${database}?${parameters}`;
  }
  const all = hosts.split(',');
  return `${start}${all[turn % all.length]}/${database}${query === '' ? '' : `?${query}`}`;
}
