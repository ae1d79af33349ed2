import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Elasticsearch, hasJdk, type RejectionKind, startElasticsearch } from '@tailwater/devstack';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isAlive } from './support/processes.js';

interface BulkAnswer {
  readonly status: number;
  /** The reason for which the whole request was refused. */
  readonly refused: string | undefined;
  /** Items that were refused one by one. */
  readonly refusedItems: number;
}

async function bulk(elasticsearch: Elasticsearch, documents: number, bytes: number): Promise<BulkAnswer> {
  const lines = Array.from(
    { length: documents },
    (_, id) => `{"index":{"_index":"orders-${id % 5}","_id":"${id}"}}\n{"text":"${'x'.repeat(bytes)}"}\n`,
  );
  const headers = { 'content-type': 'application/x-ndjson' };
  const response = await fetch(`${elasticsearch.url}/_bulk`, { method: 'POST', headers, body: lines.join('') });
  const body = (await response.json()) as { error?: { type: string }; items?: { index: { status: number } }[] };
  const refusedItems = (body.items ?? []).filter((item) => item.index.status === 429).length;
  return { status: response.status, refused: body.error?.type, refusedItems };
}

async function count(elasticsearch: Elasticsearch): Promise<number> {
  const response = await fetch(`${elasticsearch.url}/orders-*/_count`);
  return ((await response.json()) as { count: number }).count;
}

// Release 9 reads a bulk request piece by piece: its circuit breaker is the one that has to be forced in another way.
const MAJORS: readonly { major: 8 | 9; available: boolean; kinds: readonly RejectionKind[] }[] = [
  { major: 8, available: true, kinds: ['items', 'request', 'circuit-breaker'] },
  { major: 9, available: await hasJdk(21), kinds: ['circuit-breaker'] },
];

const REASONS: Record<RejectionKind, string | undefined> = {
  items: undefined,
  request: 'es_rejected_execution_exception',
  'circuit-breaker': 'circuit_breaking_exception',
};

describe.each(MAJORS)('an Elasticsearch $major node', ({ major, available, kinds }) => {
  describe.skipIf(!available)('with its Java', () => {
    let elasticsearch: Elasticsearch;
    beforeAll(async () => {
      elasticsearch = await startElasticsearch({ version: major });
    });
    afterAll(() => elasticsearch?.stop());

    it('takes documents, and has them after kill -9', async () => {
      expect(elasticsearch.version).toMatch(new RegExp(`^${major}\\.`));
      expect(await bulk(elasticsearch, 20, 10)).toEqual({ status: 200, refused: undefined, refusedItems: 0 });
      const { port, pid } = elasticsearch;
      await elasticsearch.kill9();
      expect(isAlive(pid)).toBe(false);
      await elasticsearch.start();
      expect(elasticsearch.port).toBe(port);
      expect(await count(elasticsearch)).toBe(20);
    });

    it.each(kinds)('refuses writes: %s', async (kind) => {
      await elasticsearch.forceRejections(kind);
      if (kind === 'items') {
        // One request is at work and one waits: of twenty with five shards each, some items find no place.
        const answers = await Promise.all(Array.from({ length: 20 }, () => bulk(elasticsearch, 200, 100)));
        expect(answers.reduce((sum, { refusedItems }) => sum + refusedItems, 0)).toBeGreaterThan(0);
      } else {
        expect(await bulk(elasticsearch, 200, 100)).toMatchObject({ status: 429, refused: REASONS[kind] });
      }
    });

    it('takes them again afterwards', async () => {
      await elasticsearch.endRejections();
      expect(await bulk(elasticsearch, 200, 100)).toEqual({ status: 200, refused: undefined, refusedItems: 0 });
    });

    it('leaves nothing behind', async () => {
      const { pid, logFile } = elasticsearch;
      await elasticsearch.stop();
      expect(isAlive(pid)).toBe(false);
      expect(existsSync(dirname(logFile))).toBe(false);
    });
  });
});
