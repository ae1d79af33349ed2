// The driver's own carrier of OP_MSG document sequences (sections of kind 1), which takes documents that are BSON already. The
// public API has none: it would decode each document to an object and encode it again, which costs a third of the throughput
// and loses integer-like field order, duplicate names and deprecated types (promise C). Internal, so its shape is checked at
// start. https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/#kind-1--document-sequence
import { createRequire } from 'node:module';
import { TailwaterError } from '@tailwater/runtime';

/** What is used of `lib/cmap/commands.js` of the driver. */
interface Commands {
  readonly DocumentSequence?: new (field: string) => { push(document: object, bytes: Uint8Array): number };
}

const EMPTY_DOCUMENT = Buffer.from([5, 0, 0, 0, 0]);
/** Kind 1, the length of what follows, the field's name, the documents. */
const EXPECTED_SECTION = Buffer.concat([Buffer.from([1, 17, 0, 0, 0]), Buffer.from('updates\0'), EMPTY_DOCUMENT]);

const require = createRequire(import.meta.url);

/** @throws TailwaterError when the installed driver has no document sequences of the expected shape */
export function documentSequences(): (field: string, statements: Buffer) => object {
  const { DocumentSequence } = require('mongodb/lib/cmap/commands.js') as Commands;
  if (DocumentSequence === undefined) throw unsupported();
  const create = (field: string, statements: Buffer) => {
    const sequence = new DocumentSequence(field);
    // One push for all statements: the section is their concatenation, and only command monitoring looks at the first argument.
    sequence.push({}, statements);
    return sequence;
  };
  const probe = create('updates', EMPTY_DOCUMENT);
  if (!('toBin' in probe) || typeof probe.toBin !== 'function' || !EXPECTED_SECTION.equals(probe.toBin() as Uint8Array))
    throw unsupported();
  return create;
}

function unsupported(): TailwaterError {
  return new TailwaterError('TW1314', { target: 'MongoDB', reason: 'the driver has no document sequences of the tested shape' });
}
