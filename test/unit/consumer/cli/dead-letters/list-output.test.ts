import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { JsonList, TablePages } from '#consumer/cli/dead-letters/list-output.js';

describe('JsonList', () => {
  it.each([
    ['no element', []],
    ['elements of any text', [{ id: 'a', reason: 'two\nlines\u2028and "quotes"' }, { id: 'b', nested: { list: [1, null] } }, 'c']],
  ])('is what JSON.stringify makes of it, with %s', async (_, elements) => {
    const output = new PassThrough();
    const list = new JsonList(output, { topic: 'tw.es.dead-letters' }, 'letters');
    for (const element of elements) await list.add(element);
    await list.end();
    output.end();
    expect(await text(output)).toBe(`${JSON.stringify({ topic: 'tw.es.dead-letters', letters: elements }, null, 2)}\n`);
  });

  it('waits for whoever reads it', async () => {
    const output = new PassThrough({ highWaterMark: 1 });
    const list = new JsonList(output, {}, 'letters');
    let added = false;
    const adding = list.add('x'.repeat(100)).then(() => {
      added = true;
    });
    await new Promise(setImmediate);
    expect(added).toBe(false);
    output.resume();
    await adding;
  });
});

it('a long table comes in several', async () => {
  const output = new PassThrough({ highWaterMark: 1024 * 1024 });
  const table = new TablePages(output, ['id']);
  for (let n = 0; n < 1_001; n++) await table.add([`row ${n}`]);
  await table.end();
  output.end();
  const lines = (await text(output)).split('\n');
  expect(lines.filter((line) => line === 'id')).toHaveLength(11);
  expect(lines.filter((line) => line.startsWith('row '))).toHaveLength(1_001);
});
