// An `_id` as a person types it: Extended JSON, or without quotes the 24 digits of an ObjectId, or a plain text.
import { errorCodes, TailwaterError } from '@tailwater/runtime';
import { BSON, ObjectId } from 'mongodb';

const OBJECT_ID = /^[0-9a-f]{24}$/i;
/** What begins like JSON is meant to be JSON: a mistake in it is not taken for a text. */
const JSON_BEGINNING = /^[[{"]/;

/**
 * `42`, `true`, `null`, `"42"`, `{"$oid": "…"}` and all other Extended JSON are read as such; 24 hexadecimal digits are an
 * ObjectId, anything else is a string.
 *
 * @throws TailwaterError TW1142 for text that begins like JSON and is not JSON
 */
export function parseIdText(text: string): unknown {
  if (OBJECT_ID.test(text)) return new ObjectId(text);
  try {
    return BSON.EJSON.parse(text, { relaxed: false });
  } catch (error) {
    if (!JSON_BEGINNING.test(text)) return text;
    const reason = error instanceof Error ? error.message : String(error);
    throw new TailwaterError(errorCodes.UNREADABLE_ID, { text, reason }, { cause: error });
  }
}
