import { describe, expect, it } from 'vitest';
import { parsePorts } from '#devstack/cli/ports.js';

describe('parsePorts', () => {
  it('reads pairs', () => {
    expect([...parsePorts('mongo=27017, es9=9200', ['mongo', 'kafka', 'es9'])]).toEqual([
      ['mongo', 27017],
      ['es9', 9200],
    ]);
    expect(parsePorts('', ['mongo']).size).toBe(0);
  });

  it.each(['mongo', 'mongo=', 'mongo=x', 'mongo=0', 'mongo=65536', '=1', 'mongo:27017'])('refuses %j', (text) => {
    expect(() => parsePorts(text, ['mongo'])).toThrow(`--ports: ${text} is not name=port, as in mongo=27017`);
  });

  it('refuses a server that is not started', () => {
    expect(() => parsePorts('kafka=9092', ['mongo', 'es'])).toThrow('--ports: kafka is not started; it starts mongo, es');
  });
});
