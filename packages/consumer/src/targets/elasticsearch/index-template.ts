// Puts the user's index templates before anything is written.
import type { Client } from '@elastic/elasticsearch';
import { errorCodes, TailwaterError } from '@tailwater/runtime';
import { refusalOf, statusOf } from './failures.js';
import type { IndexTemplate } from './template-file.js';

/** @throws TailwaterError TW1342 when Elasticsearch does not take it; the client's errors otherwise */
export async function putTemplate(client: Client, { file, name, body }: IndexTemplate, signal: AbortSignal): Promise<void> {
  try {
    await client.transport.request({ method: 'PUT', path: `/_index_template/${encodeURIComponent(name)}`, body }, { signal });
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === undefined || statusOf(error) !== 400) throw error;
    throw new TailwaterError(errorCodes.INDEX_TEMPLATE_REFUSED, { file, reason: refusal.reason }, { cause: error });
  }
}
