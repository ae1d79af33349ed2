// The Avro schema of a record's value, first released version. A released schema never changes: a new version gets a
// file of its own, and readers keep resolving this one (test/unit/schema/envelope/released-schemas.test.ts holds each).
// The document comes last, as BSON bytes, so that a writer copies it straight from the oplog.

export const changeEventSchemaV1 = {
  type: 'record',
  name: 'ChangeEvent',
  namespace: 'tailwater',
  doc: 'One change of one MongoDB document, with the full document as it was at, or after, its position.',
  fields: [
    {
      name: 'op',
      type: { type: 'enum', name: 'Operation', symbols: ['insert', 'update', 'replace', 'read'] },
      doc: 'read: found by a snapshot or a refresh',
    },
    { name: 'origin', type: { type: 'enum', name: 'Origin', symbols: ['tail', 'snapshot', 'sweep', 'refresh'] } },
    { name: 'database', type: 'string' },
    { name: 'collection', type: 'string' },
    {
      name: 'position',
      type: {
        type: 'record',
        name: 'Position',
        fields: [
          { name: 't', type: 'long', doc: 'seconds of the oplog timestamp' },
          { name: 'i', type: 'long', doc: 'increment of the oplog timestamp' },
          { name: 'ordinal', type: 'long', doc: 'place inside the transaction, from 0' },
        ],
      },
    },
    { name: 'wallTime', type: { type: 'long', logicalType: 'timestamp-millis' }, doc: "the server's wall clock when it was written" },
    {
      name: 'transaction',
      type: [
        'null',
        {
          type: 'record',
          name: 'Transaction',
          fields: [
            { name: 'id', type: 'string' },
            { name: 'index', type: 'long' },
          ],
        },
      ],
      default: null,
    },
    {
      name: 'updateDescription',
      type: [
        'null',
        {
          type: 'record',
          name: 'UpdateDescription',
          fields: [
            { name: 'updatedFields', type: 'bytes', doc: 'BSON document of dotted path to new value' },
            { name: 'removedFields', type: { type: 'array', items: 'string' } },
            {
              name: 'truncatedArrays',
              type: {
                type: 'array',
                items: {
                  type: 'record',
                  name: 'TruncatedArray',
                  fields: [
                    { name: 'field', type: 'string' },
                    { name: 'newSize', type: 'long' },
                  ],
                },
              },
            },
          ],
        },
      ],
      default: null,
    },
    { name: 'document', type: 'bytes', doc: 'the full document as BSON' },
  ],
} as const;
