// Whether MongoDB holds two ids equal, by its manual's rules: numbers by exact value whatever their type, a symbol as
// the string of the same characters, everything else by type and content, fields in their order.
// https://www.mongodb.com/docs/manual/reference/bson-type-comparison-order/
import { exactValue, sameExact } from './exact-number.js';
import { type Fields, type Id, isNumber } from './id.js';

export function equalIds(a: Id, b: Id): boolean {
  if (isNumber(a) && isNumber(b)) return sameExact(exactValue(a), exactValue(b));
  if (isText(a) && isText(b)) return a.text.equals(b.text);
  if (a.kind !== b.kind) return false;
  switch (a.kind) {
    case 'code':
      return a.text.equals((b as typeof a).text);
    case 'object':
      return equalFields(a.fields, (b as typeof a).fields);
    case 'array': {
      const other = (b as typeof a).items;
      return a.items.length === other.length && a.items.every((item, index) => equalIds(item, other[index] as Id));
    }
    case 'binary':
      return a.subType === (b as typeof a).subType && a.bytes.equals((b as typeof a).bytes);
    case 'objectId':
      return a.bytes.equals((b as typeof a).bytes);
    case 'boolean':
      return a.value === (b as typeof a).value;
    case 'date':
      return a.ms === (b as typeof a).ms;
    case 'timestamp':
      return a.t === (b as typeof a).t && a.i === (b as typeof a).i;
    case 'regex':
      return a.pattern.equals((b as typeof a).pattern) && a.options.equals((b as typeof a).options);
    case 'codeWithScope':
      return a.code.equals((b as typeof a).code) && equalFields(a.scope, (b as typeof a).scope);
    case 'dbPointer':
      return a.namespace.equals((b as typeof a).namespace) && a.id.equals((b as typeof a).id);
    default:
      return true;
  }
}

const isText = (id: Id): id is Id & { kind: 'string' | 'symbol' } => id.kind === 'string' || id.kind === 'symbol';

function equalFields(a: Fields, b: Fields): boolean {
  return (
    a.length === b.length &&
    a.every(([name, value], index) => {
      const [otherName, otherValue] = b[index] as Fields[number];
      return name.equals(otherName) && equalIds(value, otherValue);
    })
  );
}
