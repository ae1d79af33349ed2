// Why a value is no change event.

/** Thrown for a value that is not a change event; the consumer dead-letters the record. */
export class InvalidEnvelopeError extends Error {
  override readonly name: string = 'InvalidEnvelopeError';
}

/** Thrown for an envelope that a later release wrote, or another program. */
export class UnknownSchemaError extends InvalidEnvelopeError {
  override readonly name = 'UnknownSchemaError';
  /** 16 hexadecimal digits of an Avro schema; `json/<version>` of JSON. */
  readonly fingerprint: string;

  constructor(fingerprint: string) {
    super(`The value was written with schema ${fingerprint}, which this release does not know`);
    this.fingerprint = fingerprint;
  }
}

/** Thrown for a value in Confluent framing whose schema id is not among the ids that are known yet: a schema registry knows it. */
export class UnlistedSchemaIdError extends InvalidEnvelopeError {
  override readonly name = 'UnlistedSchemaIdError';
  readonly id: number;

  constructor(id: number) {
    super(`The value was written with schema ${id} of a schema registry`);
    this.id = id;
  }
}
