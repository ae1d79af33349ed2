// The limit of the consumer into Elasticsearch: NDJSON that is ready, at the same batch size and concurrency.
import { BSON } from 'mongodb';
import { Agent, request } from 'undici';
import { baselineArguments, reportBaseline } from '../measure/baseline.js';
import { order } from '../measure/documents.js';

const { url, index, documents, batchDocuments, concurrency } = baselineArguments<{
  url: string;
  index: string;
  documents: number;
  batchDocuments: number;
  concurrency: number;
}>();

const version = (1_700_000_000n << 32n).toString();
const bodies: Buffer[] = [];
for (let from = 0; from < documents; from += batchDocuments) {
  const lines: string[] = [];
  for (let n = from; n < Math.min(documents, from + batchDocuments); n++) {
    const { _id, ...fields } = order(n);
    lines.push(
      `{"index":{"_index":"${index}","_id":"${_id}","version":${version},"version_type":"external_gte"}}`,
      BSON.EJSON.stringify(fields, { relaxed: true }),
    );
  }
  bodies.push(Buffer.from(`${lines.join('\n')}\n`));
}
const agent = new Agent({ connections: concurrency });
const startedAtMs = performance.now();
let next = 0;
await Promise.all(
  Array.from({ length: concurrency }, async () => {
    for (let body = bodies[next++]; body !== undefined; body = bodies[next++]) {
      const response = await request(`${url}/_bulk?filter_path=errors,items.*.status,items.*.error`, {
        method: 'POST',
        dispatcher: agent,
        headers: { 'content-type': 'application/x-ndjson' },
        body,
      });
      const text = await response.body.text();
      if (response.statusCode !== 200 || !text.includes('"errors":false'))
        throw new Error(`_bulk answered ${response.statusCode}: ${text.slice(0, 300)}`);
    }
  }),
);
await reportBaseline(documents, startedAtMs);
await agent.close();
