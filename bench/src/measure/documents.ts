// The documents of every benchmark: about 1 KB, a dozen fields, as an order of a shop might look.
import { BSON, type Document, ObjectId } from 'mongodb';

const BODY = 'lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor incididunt ut labore '.repeat(7);

/** The `n`th document. */
export function order(n: number): Document {
  return {
    _id: new ObjectId(),
    number: n,
    state: ['new', 'paid', 'packed', 'sent'][n % 4],
    created: new Date(1_700_000_000_000 + n * 1000),
    total: n / 100 + 0.005,
    customer: { id: n % 1000, name: `Customer ${n % 1000}`, city: 'Reykjavík' },
    lines: [
      { sku: `sku-${n % 50}`, count: 1 + (n % 3) },
      { sku: `sku-${n % 70}`, count: 1 + (n % 5) },
    ],
    express: n % 2 === 0,
    body: BODY,
  };
}

/** The same as raw BSON. */
export const rawOrder = (n: number): Buffer => Buffer.from(BSON.serialize(order(n)));
