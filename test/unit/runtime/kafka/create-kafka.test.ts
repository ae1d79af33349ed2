import { createKafka, createLogger } from '@tailwater/runtime';
import { describe, expect, it } from 'vitest';

const logger = createLogger({ name: 'x', level: 'silent' });

describe('createKafka', () => {
  it('knows its brokers, with the default port where none is given', () => {
    expect(createKafka({ brokers: ['kafka1', ' kafka-2.example:9093'], clientId: 'x' }, logger).brokers).toBe(
      'kafka1:9092,kafka-2.example:9093',
    );
  });

  it.each([[[]], [['']], [['h:port']], [['h:99999']], [['kafka://h:9092']], [['[::1]:9092']], [['a:1,b:2']]])('refuses %j', (brokers) => {
    expect(() => createKafka({ brokers, clientId: 'x' }, logger)).toThrow(expect.objectContaining({ code: 'TW1016' }));
  });
});
