// The members of a replica set, one by one. Their oplogs reach back differently far: what the member that is read no longer holds, such
// as one that was set up anew, another one may, and only what none of them holds is lost (promise F).
import { abortable, type Logger } from '@tailwater/runtime';
import type { MongoClient } from 'mongodb';
import { createSourceClient, type SourceConnection } from './client.js';
import { memberUri } from './shards.js';

export class Members {
  readonly #client: MongoClient;
  readonly #connection: SourceConnection;
  readonly #logger: Logger;
  readonly #asked = new Map<string, MongoClient>();

  /** @param client - connected to the replica set, by `connection` */
  constructor(client: MongoClient, connection: SourceConnection, logger: Logger) {
    this.#client = client;
    this.#connection = connection;
    this.#logger = logger;
  }

  /**
   * A client of the first member that holds what is looked for, and of no other member; undefined when none does. It lives until `close`.
   *
   * @param holds - asked of each member that has documents; one that cannot be asked does not hold it
   */
  async find(holds: (member: MongoClient) => Promise<boolean>, signal?: AbortSignal): Promise<MongoClient | undefined> {
    const hello = await this.#client.db('admin').command({ hello: 1 });
    for (const host of [...((hello['hosts'] ?? []) as string[]), ...((hello['passives'] ?? []) as string[])]) {
      const member = this.#memberAt(host);
      try {
        if (!(await (signal === undefined ? holds(member) : abortable(holds(member), signal)))) continue;
        this.#logger.warn(
          { member: host },
          'The position to resume from has left the oplog of the member that was read; another member still has it and is read now',
        );
        return member;
      } catch (error) {
        if (signal?.aborted === true) throw error;
        this.#logger.warn(
          { err: error, member: host },
          'Cannot ask a member of the replica set whether its oplog still contains the position to resume from',
        );
      }
    }
    return undefined;
  }

  async close(): Promise<void> {
    const clients = [...this.#asked.values()];
    this.#asked.clear();
    await Promise.allSettled(clients.map((client) => client.close()));
  }

  #memberAt(host: string): MongoClient {
    const known = this.#asked.get(host);
    if (known !== undefined) return known;
    const client = createSourceClient({ ...this.#connection, uri: memberUri(this.#connection.uri, host) });
    this.#asked.set(host, client);
    return client;
  }
}
