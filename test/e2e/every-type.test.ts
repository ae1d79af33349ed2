// Every BSON type, through the real commands: byte for byte into MongoDB, as documented into Elasticsearch.
import { isDeepStrictEqual } from 'node:util';
import { expectedSource, readIndex, readRawDocuments, waitFor } from '@tailwater/devstack';
import { Binary, BSONRegExp, BSONSymbol, Code, Decimal128, Double, Int32, Long, MaxKey, MinKey, ObjectId, Timestamp, UUID } from 'mongodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { PipelineWorld } from '#test/support/pipeline-world.js';

let world: PipelineWorld;
beforeAll(async () => {
  world = await PipelineWorld.start({ elasticsearch: true, mongoTarget: true });
});
beforeEach(() => world.reset());
afterAll(() => world?.[Symbol.asyncDispose]());

const sorted = (documents: Iterable<unknown>): string[] => Array.from(documents, (document) => JSON.stringify(document)).sort();

const EVERY_TYPE = {
  double: new Double(1.5),
  wholeDouble: new Double(3),
  tinyDouble: new Double(5e-324),
  string: 'Grüße, 世界 🌍 "quoted" \\ \u0000 \u001f end',
  object: { nested: { deeper: [{ _id: 'inner' }] }, empty: {} },
  array: [new Int32(1), new Int32(2), new Int32(3)],
  emptyArray: [],
  binary: new Binary(Buffer.from([0, 1, 254, 255])),
  uuid: new UUID('0189f7a0-7d7a-4c3c-9a53-111111111111'),
  objectId: new ObjectId('507f1f77bcf86cd799439011'),
  yes: true,
  no: false,
  date: new Date('2026-02-03T04:05:06.007Z'),
  oldDate: new Date('1890-01-01T00:00:00.000Z'),
  nothing: null,
  regex: new BSONRegExp('^a.*z$', 'i'),
  code: new Code('function () { return 1; }'),
  symbol: new BSONSymbol('a symbol'),
  int: new Int32(-2147483648),
  timestamp: new Timestamp({ t: 1_700_000_000, i: 7 }),
  long: Long.fromString('9223372036854775807'),
  negativeLong: Long.fromString('-9007199254740993'),
  decimal: Decimal128.fromString('1234567890.123456789012345678'),
  minKey: new MinKey(),
  maxKey: new MaxKey(),
};

const IDS: readonly unknown[] = [
  new ObjectId(),
  'text',
  '',
  'with/slash and ümlaut',
  'x'.repeat(700),
  new Int32(42),
  Long.fromString('9007199254740993'),
  new Double(0.1),
  Decimal128.fromString('0.1'),
  new Date(0),
  new UUID(),
  { region: 'north', number: new Int32(7) },
  true,
  null,
];

describe('every BSON type', () => {
  it.each(['snapshot', 'tail'])('arrives from the %s byte for byte in MongoDB and as documented in Elasticsearch', async (way) => {
    const shop = (await world.source.client()).db('shop');
    const insert = async (): Promise<void> => {
      await shop.collection('types').insertOne({ _id: 'all' as never, ...EVERY_TYPE });
      await shop.collection('ids').insertMany(IDS.map((id, n) => ({ _id: id as never, n })));
    };
    if (way === 'snapshot') await insert();
    await Promise.all([world.producer(), world.elasticsearchConsumer(), world.mongoConsumer()]);
    if (way === 'tail') await insert();
    expect(await world.untilMongoEquals('types')).toMatchObject({ compared: 1 });
    expect(await world.untilMongoEquals('ids')).toMatchObject({ compared: IDS.length });
    expect(await world.untilElasticsearchEquals('types')).toMatchObject({ compared: 1 });
    const raw = await world.elasticsearchSource('shop.types', 'all');
    // Exact text, not what JSON.parse makes of it: integers beyond 2^53 must be whole.
    expect(raw).toContain('"long":9223372036854775807');
    expect(raw).toContain('"negativeLong":-9007199254740993');
    expect(raw).toContain('"wholeDouble":3.0');
  });

  it('keeps inserts, updates, replacements and deletes of odd ids in step', async () => {
    const ids = (await world.source.client()).db('shop').collection('ids');
    await Promise.all([world.producer(), world.elasticsearchConsumer(), world.mongoConsumer()]);
    await ids.insertMany(IDS.map((id, n) => ({ _id: id as never, n })));
    await ids.updateMany({ n: { $lt: 9 } }, { $set: { changed: 'yes' }, $unset: { n: '' } });
    await ids.replaceOne({ n: 9 }, { replaced: true });
    await ids.deleteMany({ n: { $gte: 12 } });
    const { compared } = await world.untilMongoEquals('ids');
    expect(compared).toBe(IDS.length - 2);
    // How odd ids are written in Elasticsearch is tested with its target; here, that each document is there as it should be.
    const expected = [...(await readRawDocuments(await world.source.client(), 'shop', 'ids')).values()].map(expectedSource);
    const indexed = await waitFor(() => readIndex(world.elasticsearch.url, 'shop.ids'), {
      until: (documents) => isDeepStrictEqual(sorted(documents.values()), sorted(expected)),
      describe: 'the index to hold the same documents',
      timeoutMs: 60_000,
    });
    expect(indexed.size).toBe(compared);
  });
});

describe('a document of nearly 16 MB', () => {
  it('arrives in MongoDB and Elasticsearch, by the snapshot, an update and a replacement', async () => {
    const large = (await world.source.client()).db('shop').collection('large');
    const body = (fill: string): string => fill.repeat(15_900_000);
    await large.insertMany([{ _id: 'first' as never, body: body('a') }]);
    await large.insertOne({ _id: 'second' as never, body: body('b') });
    await Promise.all([world.producer(), world.elasticsearchConsumer(), world.mongoConsumer()]);
    await world.untilMongoEquals('large');
    await large.updateOne({ _id: 'first' as never }, { $set: { changed: 1 } });
    await large.replaceOne({ _id: 'second' as never }, { body: body('c') });
    await large.insertOne({ _id: 'third' as never, body: body('d') });
    expect(await world.untilMongoEquals('large')).toMatchObject({ compared: 3 });
    expect(await world.untilElasticsearchEquals('large')).toMatchObject({ compared: 3 });
  });
});
