// The driver's own carrier of OP_MSG document sequences (sections of kind 1), which takes documents that are BSON already. The
// public API has none: it would decode each document to an object and encode it again, which costs a third of the throughput
// and loses integer-like field order, duplicate names and deprecated types (promise C). Internal, so its shape is checked at
// start. https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/#kind-1--document-sequence
import { createRequire } from 'node:module';
import { errorCodes, TailwaterError } from '@tailwater/runtime';

/** What is used of `lib/cmap/commands.js` of the driver: a command's field of this class goes out as the bytes that it gives. */
type DocumentSequence = new (field: string) => { push(document: object, bytes: Uint8Array): number; toBin(): Uint8Array };

const KIND = 1;
const HEADER_BYTES = 5;
const EMPTY_DOCUMENT = Buffer.from([5, 0, 0, 0, 0]);

const require = createRequire(import.meta.url);

/** The bytes before the first document: the kind, room for the length, the field's name. */
export function sectionStart(field: string): Buffer {
  const start = Buffer.alloc(HEADER_BYTES + field.length + 1);
  start[0] = KIND;
  start.write(field, HEADER_BYTES, 'latin1');
  return start;
}

/** Writes the length of a section that is complete: that of everything after its kind. */
export function closeSection(section: Buffer): Buffer {
  section.writeInt32LE(section.length - 1, 1);
  return section;
}

/**
 * How a finished section becomes the value of a command's field. `onSend` is called when the driver puts the message together, which is the last thing that
 * it does before it writes to the connection; what it throws keeps the message back.
 *
 * @throws TailwaterError TW1314 when the installed driver has no document sequences of the tested shape
 */
export function sectionCarrier(): (field: string, section: Buffer, onSend: () => void) => object {
  const { DocumentSequence: Base } = require('mongodb/lib/cmap/commands.js') as { DocumentSequence?: DocumentSequence };
  if (Base === undefined) throw unsupported();
  const probe = new Base('updates');
  probe.push({}, EMPTY_DOCUMENT);
  const expected = closeSection(Buffer.concat([sectionStart('updates'), EMPTY_DOCUMENT]));
  if (!expected.equals(probe.toBin())) throw unsupported();

  /** Gives a section that was assembled elsewhere, which saves a copy of the whole batch. */
  class FinishedSequence extends Base {
    readonly #section: Buffer;
    readonly #onSend: () => void;

    constructor(field: string, section: Buffer, onSend: () => void) {
      super(field);
      this.#section = section;
      this.#onSend = onSend;
    }

    override toBin(): Uint8Array {
      this.#onSend();
      return this.#section;
    }
  }
  return (field, section, onSend) => new FinishedSequence(field, section, onSend);
}

function unsupported(): TailwaterError {
  return new TailwaterError(errorCodes.CLIENT_LIBRARY_CHANGED, {
    target: 'MongoDB',
    reason: 'the driver has no document sequences of the tested shape',
  });
}
