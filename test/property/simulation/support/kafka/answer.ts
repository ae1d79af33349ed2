// The bytes of an answer.
import { WireWriter } from '@tailwater/runtime';

export class Answer {
  to = new WireWriter();
  readonly #pieces: Buffer[] = [];

  /** Bytes as they are. */
  raw(bytes: Buffer): this {
    this.#pieces.push(this.to.bytes, bytes);
    this.to = new WireWriter();
    return this;
  }

  compactBlob(bytes: Buffer): this {
    this.to.unsignedVarint(bytes.length + 1);
    return this.raw(bytes);
  }

  get bytes(): Buffer {
    return this.#pieces.length === 0 ? this.to.bytes : Buffer.concat([...this.#pieces, this.to.bytes]);
  }
}

export const answer = (write: (to: WireWriter) => unknown): Buffer => {
  const to = new WireWriter();
  write(to);
  return to.bytes;
};
