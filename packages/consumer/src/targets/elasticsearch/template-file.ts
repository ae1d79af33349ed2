// Index templates that the user gives: settings and mappings are there before Elasticsearch guesses any.
// https://www.elastic.co/guide/en/elasticsearch/reference/8.19/index-templates.html
import { readFileSync } from 'node:fs';
import { basename, extname } from 'node:path';
import { errorCodes, TailwaterError } from '@tailwater/runtime';

export interface IndexTemplate {
  readonly file: string;
  /** `tailwater-orders` for the file orders.json: a later start with the same file replaces it, and no other. */
  readonly name: string;
  readonly body: object;
}

/** @throws TailwaterError TW1341 for a file that holds no index template */
export function readTemplate(file: string): IndexTemplate {
  const body = parse(file);
  if (typeof body !== 'object' || body === null || !Array.isArray((body as { index_patterns?: unknown }).index_patterns))
    throw new TailwaterError(errorCodes.INDEX_TEMPLATE_UNUSABLE, { file, reason: 'it has no list index_patterns' });
  return { file, name: `tailwater-${basename(file, extname(file)).toLowerCase()}`, body };
}

function parse(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as unknown;
  } catch (error) {
    throw new TailwaterError(
      errorCodes.INDEX_TEMPLATE_UNUSABLE,
      { file, reason: error instanceof Error ? error.message : String(error) },
      { cause: error },
    );
  }
}
