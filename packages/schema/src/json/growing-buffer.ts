// BSON as it is written from front to back, when its length is not known beforehand.

/** Room beyond what is needed, at most: twice a large document would be a large document of nothing. */
const MAX_SPARE_BYTES = 1024 * 1024;

export class GrowingBuffer {
  #buffer: Buffer;
  length = 0;

  /** @param capacity - bytes that will probably do */
  constructor(capacity: number) {
    this.#buffer = Buffer.allocUnsafe(capacity);
  }

  /** What has been written; nothing may be written after it. */
  written(): Buffer {
    return this.#buffer.subarray(0, this.length);
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#buffer[this.length++] = value;
  }

  bytes(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#buffer.set(value, this.length);
    this.length += value.length;
  }

  /** A length, the bytes and a zero byte: BSON's string. */
  string(value: Uint8Array): void {
    this.int32(value.length + 1);
    this.bytes(value);
    this.byte(0);
  }

  int32(value: number): void {
    this.#reserve(4);
    this.length = this.#buffer.writeInt32LE(value, this.length);
  }

  int64(value: bigint): void {
    this.#reserve(8);
    this.length = this.#buffer.writeBigInt64LE(value, this.length);
  }

  double(value: number): void {
    this.#reserve(8);
    this.length = this.#buffer.writeDoubleLE(value, this.length);
  }

  setByte(at: number, value: number): void {
    this.#buffer[at] = value;
  }

  setInt32(at: number, value: number): void {
    this.#buffer.writeInt32LE(value, at);
  }

  /** Takes the four bytes at `at` out again. */
  removeInt32(at: number): void {
    this.#buffer.copyWithin(at, at + 4, this.length);
    this.length -= 4;
  }

  #reserve(bytes: number): void {
    if (this.length + bytes <= this.#buffer.length) return;
    const needed = this.length + bytes;
    const larger = Buffer.allocUnsafe(needed + Math.min(needed, MAX_SPARE_BYTES));
    this.#buffer.copy(larger, 0, 0, this.length);
    this.#buffer = larger;
  }
}
