// The primitive types of Kafka's protocol: https://kafka.apache.org/protocol#protocol_types

const FIRST_BYTES = 512;

/** Writes a request's body into one buffer that grows. */
export class WireWriter {
  #buffer = Buffer.allocUnsafe(FIRST_BYTES);
  #length = 0;

  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  int8(value: number): this {
    const at = this.#take(1);
    this.#buffer.writeInt8(value, at);
    return this;
  }

  int16(value: number): this {
    const at = this.#take(2);
    this.#buffer.writeInt16BE(value, at);
    return this;
  }

  int32(value: number): this {
    const at = this.#take(4);
    this.#buffer.writeInt32BE(value, at);
    return this;
  }

  /** @param value - an integer that a JavaScript number holds exactly */
  int64(value: number): this {
    const at = this.#take(8);
    this.#buffer.writeBigInt64BE(BigInt(value), at);
    return this;
  }

  boolean(value: boolean): this {
    return this.int8(value ? 1 : 0);
  }

  /** STRING, and NULLABLE_STRING. */
  string(value: string | null): this {
    if (value === null) return this.int16(-1);
    const length = Buffer.byteLength(value);
    this.int16(length);
    const at = this.#take(length);
    this.#buffer.write(value, at);
    return this;
  }

  /** COMPACT_STRING. */
  compactString(value: string): this {
    const length = Buffer.byteLength(value);
    this.unsignedVarint(length + 1);
    const at = this.#take(length);
    this.#buffer.write(value, at);
    return this;
  }

  /** BYTES, and NULLABLE_BYTES. */
  blob(value: Buffer | null): this {
    if (value === null) return this.int32(-1);
    this.int32(value.length);
    const at = this.#take(value.length);
    value.copy(this.#buffer, at);
    return this;
  }

  array<T>(values: readonly T[], write: (value: T) => void): this {
    this.int32(values.length);
    for (const value of values) write(value);
    return this;
  }

  compactArray<T>(values: readonly T[], write: (value: T) => void): this {
    this.unsignedVarint(values.length + 1);
    for (const value of values) write(value);
    return this;
  }

  unsignedVarint(value: number): this {
    let rest = value >>> 0;
    while (rest > 0x7f) {
      this.int8((((rest & 0x7f) | 0x80) << 24) >> 24);
      rest >>>= 7;
    }
    return this.int8(rest);
  }

  /** No tagged fields: https://cwiki.apache.org/confluence/display/KAFKA/KIP-482 */
  noTags(): this {
    return this.int8(0);
  }

  #take(length: number): number {
    const at = this.#length;
    this.#length += length;
    if (this.#length > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.#length, this.#buffer.length * 2));
      this.#buffer.copy(larger, 0, 0, at);
      this.#buffer = larger;
    }
    return at;
  }
}

/** Reads what {@link WireWriter} writes. Whatever is cut off throws a RangeError. */
export class WireReader {
  readonly #buffer: Buffer;
  #at: number;

  constructor(buffer: Buffer, at = 0) {
    this.#buffer = buffer;
    this.#at = at;
  }

  int8(): number {
    return this.#buffer.readInt8(this.#take(1));
  }

  int16(): number {
    return this.#buffer.readInt16BE(this.#take(2));
  }

  int32(): number {
    return this.#buffer.readInt32BE(this.#take(4));
  }

  /** Offsets and ids of producers: a partition would need 9e15 records before a number lost one. */
  int64(): number {
    return Number(this.#buffer.readBigInt64BE(this.#take(8)));
  }

  boolean(): boolean {
    return this.int8() !== 0;
  }

  string(): string | null {
    return this.#text(this.int16());
  }

  blob(): Buffer | null {
    return this.#bytes(this.int32());
  }

  compactBlob(): Buffer | null {
    return this.#bytes(this.unsignedVarint() - 1);
  }

  array<T>(read: () => T): T[] {
    return this.#list(this.int32(), read);
  }

  unsignedVarint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#buffer.readUInt8(this.#take(1));
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    return value >>> 0;
  }

  compactString(): string | null {
    return this.#text(this.unsignedVarint() - 1);
  }

  compactArray<T>(read: () => T): T[] {
    return this.#list(this.unsignedVarint() - 1, read);
  }

  /** As hexadecimal text. */
  uuid(): string {
    const at = this.#take(16);
    return this.#buffer.toString('hex', at, at + 16);
  }

  skipTags(): void {
    this.tags({});
  }

  /** Tagged fields: those with a reader are read, the others are skipped. */
  tags(readers: Readonly<Record<number, () => void>>): void {
    for (let left = this.unsignedVarint(); left > 0; left -= 1) {
      const tag = this.unsignedVarint();
      const length = this.unsignedVarint();
      const end = this.#at + length;
      readers[tag]?.();
      this.#at = end;
    }
  }

  #bytes(length: number): Buffer | null {
    if (length < 0) return null;
    const at = this.#take(length);
    if (this.#at > this.#buffer.length) throw new RangeError('Bytes are cut off');
    return this.#buffer.subarray(at, at + length);
  }

  #text(length: number): string | null {
    if (length < 0) return null;
    const at = this.#take(length);
    if (this.#at > this.#buffer.length) throw new RangeError('A text is cut off');
    return this.#buffer.toString('utf8', at, at + length);
  }

  #list<T>(length: number, read: () => T): T[] {
    const list: T[] = [];
    for (let index = 0; index < length; index += 1) list.push(read());
    return list;
  }

  #take(length: number): number {
    const at = this.#at;
    this.#at += length;
    return at;
  }
}
