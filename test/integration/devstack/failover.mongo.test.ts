// A replica set of three: elections, with the data that was acknowledged by a majority.
import { type Mongo, startMongo } from '@tailwater/devstack';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

describe('a replica set of three', () => {
  let mongo: Mongo;
  beforeAll(async () => {
    mongo = await startMongo({ members: 3 });
  });
  afterAll(() => mongo?.stop());

  it('elects another primary when one is killed, and takes the killed one back', async () => {
    const orders = (await mongo.client()).db('shop').collection<{ _id: number }>('orders', { writeConcern: { w: 'majority' } });
    await orders.insertOne({ _id: 1 });
    const killed = await mongo.primary();
    await killed.kill9();
    expect(await mongo.primary()).not.toBe(killed);
    await orders.insertOne({ _id: 2 });
    await killed.start();
    expect(await orders.countDocuments()).toBe(2);
  });

  it('hands over when the primary steps down', async () => {
    const before = await mongo.primary();
    const after = await mongo.stepDown();
    expect(after).not.toBe(before);
    expect(await after.hello()).toMatchObject({ isWritablePrimary: true });
  });
});
