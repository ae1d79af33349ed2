// A change event as JSON, if a topic takes it: base64 and escapes can make a document larger than it is.
import { type ChangeEvent, encodeJsonEvent } from '@tailwater/schema';

/** A topic takes records of 20 MB. */
const MAX_JSON_BYTES = 18 * 1024 * 1024;

/** The event without what changed where that makes it too large; undefined where even so it is: Avro then carries it. */
export function jsonValue(event: ChangeEvent): Buffer | undefined {
  const value = Buffer.from(encodeJsonEvent(event));
  if (value.length <= MAX_JSON_BYTES) return value;
  return event.updateDescription === null ? undefined : jsonValue({ ...event, updateDescription: null });
}
