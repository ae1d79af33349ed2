// Whatever a MongoDB target answers to a write that is not a document's fault, nothing is put aside and nothing is lost: codes of each
// kind, and some that no table knows, by the server's own failCommand. What each code of the whole table means: the unit test of failures.
// https://github.com/mongodb/mongo/wiki/The-%22failCommand%22-fail-point
import { type Mongo, startMongo, waitFor } from '@tailwater/devstack';
import { PASSING_CODES } from '@tailwater/runtime';
import type { MongoClient } from 'mongodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Change } from '#consumer/changes/change.js';
import { MongoTarget } from '#consumer/targets/mongo/mongo.js';
import { change } from '#test/unit/consumer/support/changes.js';
import { raw } from '../support/bson-zoo.js';
import { LanesRun } from '../support/lanes-run.js';

/** NoSuchKey, WindowsPdhError, two assertions, and what is lasting and of no document: BadValue, CommandNotFound, APIVersionError. */
const OTHERS = [4, 179, 28_799, 5_076_600, 2, 59, 322];
const WRITES = ['update', 'insert', 'delete'];
const ORDERS = { database: 'copy', collection: 'orders' };
const FILES = { database: 'copy', collection: 'fs.files' };
const never = new AbortController().signal;

let mongo: Mongo;
let client: MongoClient;
let target: MongoTarget;
let run: LanesRun;
let sequence = 0;

beforeAll(async () => {
  mongo = await startMongo({ args: ['--setParameter', 'enableTestCommands=1'] });
  client = await mongo.client();
  target = new MongoTarget({ url: mongo.uri, connectTimeoutMs: 5_000, requestTimeoutMs: 30_000, writeConcern: 1 });
  await target.connect(never);
  run = new LanesRun(target);
});
afterAll(async () => {
  await run?.end();
  await target?.close();
  await mongo?.stop();
});

const document = (id: number): Change => change(id, ++sequence, { namespace: ORDERS, document: raw({ _id: id, sequence }) });
const gone = (id: number): Change => change(id, ++sequence, { namespace: ORDERS, kind: 'delete', op: 'delete', document: Buffer.alloc(0) });
function file(id: number): Change {
  const content = Buffer.from(`content of ${id}`);
  const fields = raw({ _id: id, length: content.length, chunkSize: 1000, uploadDate: new Date(0) });
  return change(id, ++sequence, { namespace: FILES, document: fields, file: { state: 'content', content } });
}

/** Has the next writes of the consumer fail so, as a whole or by the acknowledgement that the members give. */
async function failing(times: number, how: object): Promise<void> {
  const data = { failCommands: WRITES, appName: 'tailwater-consumer', ...how };
  await client.db('admin').command({ configureFailPoint: 'failCommand', mode: { times }, data });
}

/** How many writes failed so far. */
async function failed(): Promise<number> {
  const reply = await client.db('admin').command({ getParameter: 1, 'failpoint.failCommand': 1 });
  return Number(reply['failpoint.failCommand'].timesEntered);
}

it('outlasts every answer that is no document’s fault', { timeout: 120_000 }, async () => {
  const codes = [...[...PASSING_CODES].filter((_, n) => n % 5 === 0), ...OTHERS];
  const ways = [
    ...codes.map((errorCode) => ({ errorCode })),
    ...[64, 79, 91, 100].map((code) => ({ writeConcernError: { code, errmsg: '' } })),
  ];
  for (const [n, how] of ways.entries()) {
    const before = await failed();
    await failing(1 + (n % 2), how);
    await run.feed([document(n), document(n + 1000), gone(n + 999), ...(n % 8 === 0 ? [file(n)] : [])]);
    const state = () => `writes to fail with ${JSON.stringify(how)}: ${run.deadLetters.join()} ${run.waiting.join()}`;
    await waitFor(async () => run.deadLetters.length > 0 || ((await failed()) >= before + 1 + (n % 2) && run.lanes.buffered.count === 0), {
      describe: state,
      intervalMs: 5,
    });
    expect([how, run.deadLetters, run.waiting]).toEqual([how, [], []]);
  }
  const ids = async (collection: string) => (await client.db('copy').collection(collection).distinct('_id')).map(Number);
  const last = ways.length - 1;
  expect((await ids('orders')).sort((a, b) => a - b)).toEqual([...ways.keys(), last + 1000]);
  expect((await ids('fs.files')).sort((a, b) => a - b)).toEqual([...ways.keys()].filter((n) => n % 8 === 0));
  expect(await client.db('copy').collection('fs.chunks').countDocuments()).toBe(Math.ceil(ways.length / 8));
});
