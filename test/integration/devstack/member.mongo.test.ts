// A replica set of one: what most tests run on.
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { DevstackError, type Mongo, ServerStartError, startMongo } from '@tailwater/devstack';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isAlive } from './support/processes.js';

const OPLOG_SIZE_MB = 8;

describe('a replica set of one', () => {
  let mongo: Mongo;
  beforeAll(async () => {
    mongo = await startMongo({ oplogSizeMb: OPLOG_SIZE_MB, syncDelaySeconds: 1 });
  });
  afterAll(() => mongo?.stop());

  it('has an oplog of the size that was asked for', async () => {
    const client = await mongo.client();
    await client.db('shop').collection<{ _id: number }>('orders').insertOne({ _id: 1 });
    const [entry] = await client.db('local').collection('oplog.rs').find({ ns: 'shop.orders' }).toArray();
    expect(entry).toMatchObject({ op: 'i', o: { _id: 1 } });
    const stats = await client.db('local').command({ collStats: 'oplog.rs' });
    expect(stats['maxSize']).toBe(OPLOG_SIZE_MB * 1024 * 1024);
  });

  it('comes back after kill -9 with its data, on its port', async () => {
    const { port, pid } = mongo;
    await mongo.kill9();
    expect(isAlive(pid)).toBe(false);
    expect(mongo.pid).toBeUndefined();
    await mongo.start();
    expect(mongo.port).toBe(port);
    expect(await (await mongo.client()).db('shop').collection('orders').countDocuments()).toBe(1);
  });

  it('answers nothing while it is paused, and goes on afterwards', async () => {
    const impatient = new MongoClient(mongo.uri, { serverSelectionTimeoutMS: 300, connectTimeoutMS: 300 });
    await mongo.pause();
    await expect(impatient.db('admin').command({ ping: 1 })).rejects.toThrow();
    await impatient.close();
    await mongo.resume();
    await expect((await mongo.client()).db('admin').command({ ping: 1 })).resolves.toMatchObject({ ok: 1 });
  });

  it('steps down and is primary again', async () => {
    const before = await (await mongo.primary()).hello();
    await mongo.stepDown();
    const after = await (await mongo.primary()).hello();
    expect(after['electionId']).not.toEqual(before['electionId']);
  });

  it('resizes its oplog', async () => {
    await mongo.resizeOplog(990);
    const stats = await (await mongo.client()).db('local').command({ collStats: 'oplog.rs' });
    expect(stats['maxSize']).toBe(990 * 1024 * 1024);
  });

  it('restarts in order', async () => {
    const { pid } = mongo;
    await mongo.restart();
    expect(mongo.pid).not.toBe(pid);
    await expect(mongo.start()).resolves.toBeUndefined();
  });

  it('leaves nothing behind', async () => {
    const { pid, logFile } = mongo;
    await mongo.stop();
    expect(isAlive(pid)).toBe(false);
    expect(existsSync(dirname(logFile))).toBe(false);
    await mongo.stop();
  });
});

describe('other ways to start a mongod', () => {
  it('keeps strangers out with auth', async () => {
    const mongo = await startMongo({ auth: true });
    try {
      await expect((await mongo.client()).db('local').collection('oplog.rs').findOne()).resolves.toBeTruthy();
      const stranger = new MongoClient(mongo.uriFor(undefined));
      await expect(stranger.db('local').collection('oplog.rs').findOne()).rejects.toMatchObject({ codeName: 'Unauthorized' });
      await stranger.close();
      await mongo.stepDown();
    } finally {
      await mongo.stop();
    }
  });

  it('starts a standalone one, which has no oplog', async () => {
    const mongo = await startMongo({ members: 0 });
    try {
      expect(mongo.replicaSet).toBeUndefined();
      expect(await mongo.members[0]?.hello()).not.toHaveProperty('setName');
      expect(await (await mongo.client()).db('local').collection('oplog.rs').findOne()).toBeNull();
      await mongo.kill9();
      await mongo.start();
    } finally {
      await mongo.stop();
    }
  });

  it('shows the end of the log of one that does not come up', async () => {
    const starting = startMongo({ args: ['--storageEngine', 'punchCards'] });
    await expect(starting).rejects.toThrow(ServerStartError);
    await expect(starting).rejects.toThrow(/mongod-0 ended while it was starting .*The end of its log:\n.*punchCards/s);
  });

  it('says that a port is in use', async () => {
    const first = await startMongo({ members: 0 });
    try {
      const second = startMongo({ members: 0, port: first.port });
      await expect(second).rejects.toThrow(DevstackError);
      await expect(second).rejects.toThrow(`Port ${first.port} is in use`);
    } finally {
      await first.stop();
    }
  });
});
