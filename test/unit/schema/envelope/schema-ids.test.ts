// Values in the framing of a schema registry.
import {
  type ChangeEvent,
  changeEventSchema,
  confluentHeader,
  confluentSchemaId,
  decodeChangeEvent,
  encodeChangeEvent,
  encodeJsonEvent,
  type FoundSchema,
  Position,
  SchemaIds,
  UnknownSchemaError,
  UnlistedSchemaIdError,
} from '@tailwater/schema';
import { describe, expect, it } from 'vitest';

const event: ChangeEvent = {
  op: 'insert',
  origin: 'tail',
  namespace: { database: 'shop', collection: 'orders' },
  position: new Position(1, 2, 3),
  wallTimeMs: 4,
  transaction: null,
  updateDescription: null,
  document: Buffer.from([5, 0, 0, 0, 0]),
};
const signal = new AbortController().signal;

function registryOf(schemas: Record<number, FoundSchema>) {
  const asked: number[] = [];
  const ids = new SchemaIds(async (id) => {
    asked.push(id);
    return schemas[id];
  });
  return { ids, asked };
}

describe('a value in Confluent framing', () => {
  const value = encodeChangeEvent(event, confluentHeader(7));

  it('begins with a zero byte and the id', () => {
    expect(value.subarray(0, 5)).toEqual(Buffer.from([0, 0, 0, 0, 7]));
    expect(confluentSchemaId(value)).toBe(7);
    expect(value.length).toBe(encodeChangeEvent(event).length - 5);
  });

  it('is decoded once its id is known, which is asked for once', async () => {
    const { ids, asked } = registryOf({ 7: { avro: changeEventSchema() } });
    expect(() => decodeChangeEvent(value, ids)).toThrow(UnlistedSchemaIdError);
    await ids.learn(value, signal);
    await ids.learn(value, signal);
    expect(decodeChangeEvent(value, ids)).toEqual(event);
    expect(asked).toEqual([7]);
  });

  it('is decoded though the registry writes the schema in its own way', async () => {
    const avro = JSON.stringify({ ...(JSON.parse(changeEventSchema()) as object), doc: 'another', aliases: [] });
    const { ids } = registryOf({ 7: { avro } });
    await ids.learn(value, signal);
    expect(decodeChangeEvent(value, ids)).toEqual(event);
  });

  it.each<[string, FoundSchema]>([
    ['somebody else’s schema', { avro: '{"type":"record","name":"Other","fields":[]}' }],
    ['a schema that is none', { avro: 'not even JSON' }],
    ['a schema of another kind', 'other'],
  ])('is not decoded with %s', async (_what, found) => {
    const { ids } = registryOf({ 7: found });
    await ids.learn(value, signal);
    expect(() => decodeChangeEvent(value, ids)).toThrow(/not one of change events/);
    expect(() => decodeChangeEvent(value, ids)).not.toThrow(UnknownSchemaError);
  });

  it('of a later release names its schema', async () => {
    const later = { ...(JSON.parse(changeEventSchema()) as { fields: object[] }) };
    later.fields = [...later.fields, { name: 'more', type: 'int' }];
    const { ids } = registryOf({ 7: { avro: JSON.stringify(later) } });
    await ids.learn(value, signal);
    expect(() => decodeChangeEvent(value, ids)).toThrow(UnknownSchemaError);
  });

  it('stays unlisted where the registry does not know the id, or there is none', async () => {
    for (const ids of [registryOf({}).ids, new SchemaIds(), undefined]) {
      await ids?.learn(value, signal);
      expect(() => decodeChangeEvent(value, ids)).toThrow(UnlistedSchemaIdError);
    }
  });
});

describe('values in other framings', () => {
  it('have no id, and ask for none', async () => {
    const { ids, asked } = registryOf({});
    for (const value of [encodeChangeEvent(event), Buffer.from(encodeJsonEvent(event)), Buffer.alloc(0), Buffer.alloc(4)]) {
      expect(confluentSchemaId(value)).toBeUndefined();
      await ids.learn(value, signal);
    }
    expect(asked).toEqual([]);
    expect(decodeChangeEvent(Buffer.from(encodeJsonEvent(event)), ids)).toEqual(event);
  });

  it('of JSON that a later release wrote name its version', () => {
    const later = encodeJsonEvent(event).replace('"version":1', '"version":2');
    expect(() => decodeChangeEvent(Buffer.from(later))).toThrow(/schema json\/2, which this release does not know/);
  });

  it.each(['{}', '{"version":1}', '[]', '{"version":"1"}', `${encodeJsonEvent(event)}x`])('that are no event are refused: %s', (text) => {
    expect(() => decodeChangeEvent(Buffer.from(text))).toThrow(/JSON|marker/);
  });
});
