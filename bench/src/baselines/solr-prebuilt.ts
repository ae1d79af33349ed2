// The limit of the consumer into Solr: update commands that are ready, at the same batch size and concurrency.
import { Agent, request } from 'undici';
import { baselineArguments, reportBaseline } from '../measure/baseline.js';
import { order } from '../measure/documents.js';

const { url, documents, batchDocuments, concurrency } = baselineArguments<{
  url: string;
  documents: number;
  batchDocuments: number;
  concurrency: number;
}>();

const bodies: Buffer[] = [];
for (let from = 0; from < documents; from += batchDocuments) {
  const commands: string[] = [];
  for (let n = from; n < Math.min(documents, from + batchDocuments); n++) {
    const { _id, customer, lines, ...fields } = order(n);
    const flat: Record<string, unknown> = { id: String(_id), ...fields };
    for (const [name, value] of Object.entries(customer as object)) flat[`customer.${name}`] = value;
    for (const [index, line] of (lines as object[]).entries())
      for (const [name, value] of Object.entries(line)) flat[`lines.${index}.${name}`] = value;
    commands.push(`"add":{"doc":${JSON.stringify(flat)}}`);
  }
  bodies.push(Buffer.from(`{${commands.join(',')}}`));
}
const agent = new Agent({ connections: concurrency });
const startedAtMs = performance.now();
let next = 0;
await Promise.all(
  Array.from({ length: concurrency }, async () => {
    for (let body = bodies[next++]; body !== undefined; body = bodies[next++]) {
      const response = await request(`${url}/update?wt=json`, {
        method: 'POST',
        dispatcher: agent,
        headers: { 'content-type': 'application/json' },
        body,
      });
      const text = await response.body.text();
      if (response.statusCode !== 200) throw new Error(`update answered ${response.statusCode}: ${text.slice(0, 300)}`);
    }
  }),
);
await reportBaseline(documents, startedAtMs);
await agent.close();
