// Documents as an application of some years has them: ids of every type that people use, fields of every type that
// MongoDB stores. Fields keep one type each, so that an index with dynamic mapping takes them all.
import { Binary, Decimal128, type Document, Double, Int32, Long, ObjectId, Timestamp, UUID } from 'mongodb';
import type { Random } from './random.js';

const CITIES = ['Berlin', 'Łódź', 'São Paulo', '東京', 'Reykjavík', 'Québec'] as const;
const STATES = ['new', 'paid', 'packed', 'sent', 'returned'] as const;

/** The `n`th id: eight types in turn, none of which MongoDB holds equal to another, nor a search engine by its text. */
export function mixedId(random: Random, n: number): unknown {
  switch (n % 8) {
    case 0:
      return new ObjectId(random.bytes(12));
    case 1:
      return new Int32(n);
    case 2:
      return `order-${n}`;
    case 3:
      return Long.fromNumber(n).add(Long.fromString('9007199254740993'));
    case 4:
      return new Double(n + 0.5);
    case 5:
      return new UUID(Uint8Array.from(uuidBytes(random)));
    case 6:
      return { region: random.pick(CITIES), number: n };
    default:
      return new Date(1_500_000_000_000 + n * 1000);
  }
}

function uuidBytes(random: Random): Uint8Array {
  const bytes = random.bytes(16);
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  return bytes;
}

/** A document without `_id`, of about `bytes` bytes. */
export function mixedFields(random: Random, bytes = 600): Document {
  return {
    state: random.pick(STATES),
    customer: { name: random.text(12), city: random.pick(CITIES), since: new Date(1_400_000_000_000 + random.below(1e9) * 100) },
    quantity: new Int32(random.below(1000)),
    serial: Long.fromBits(random.below(2 ** 31), random.below(2 ** 21)),
    weight: new Double(random.below(10_000) / 8 + 0.125),
    price: Decimal128.fromString(`${random.below(100_000)}.${String(random.below(100)).padStart(2, '0')}`),
    paid: random.below(2) === 0,
    note: random.below(4) === 0 ? null : random.text(20),
    reference: new ObjectId(random.bytes(12)),
    signature: new Binary(random.bytes(24)),
    session: new UUID(Uint8Array.from(uuidBytes(random))),
    changed: new Timestamp({ t: 1_700_000_000 + random.below(1000), i: random.below(1000) }),
    tags: Array.from({ length: random.below(4) }, () => random.text(5)),
    lines: Array.from({ length: 1 + random.below(2) }, () => ({ sku: random.text(6), count: new Int32(1 + random.below(9)) })),
    body: random.text(Math.max(10, bytes - 400)),
  };
}
