// Replies whose documents stay raw BSON, with errors that the driver understands.
//
// With `raw` alone `db.command` and `aggregate` leave the fields of an error raw as well: its labels are lost, and the `topologyVersion` of an
// answer such as InterruptedDueToReplStateChange, which the driver keeps as the server's, makes it fail by a TypeError at every later one.

/** For `db.command` of what opens a cursor or reads on: only the documents of a batch are raw. The cursor's id stays a Long. */
export const RAW_BATCHES = { fieldsAsRaw: { firstBatch: true, nextBatch: true }, promoteLongs: false } as const;

/** For `aggregate`: the option beside `raw` is what the driver's other cursors set for themselves. */
export const RAW_DOCUMENTS: { readonly raw: true } = { raw: true, documentsReturnedIn: 'firstBatch' } as { readonly raw: true };
