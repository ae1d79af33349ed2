import { describe, expect, it } from 'vitest';
import { assertReadable } from '#producer/cli/assert-included.js';

describe('expectReadable', () => {
  it.each([
    ['local.oplog.rs', 'oplog', 'TW1253'],
    ['config.*', 'change-stream', 'TW1253'],
    ['admin.x', 'change-stream', 'TW1254'],
  ] as const)('tells that %s is never in a source of kind %s', (pattern, source, code) => {
    expect(() => assertReadable(['shop.*', pattern], source)).toThrow(expect.objectContaining({ code }));
  });

  it('takes what can be read, and what a wildcard only happens to cover', () => {
    expect(() => assertReadable(['admin.x', '*.x', 'l*.x', 'localhost.x'], 'oplog')).not.toThrow();
    expect(() => assertReadable(['*.x', 'a*.x'], 'change-stream')).not.toThrow();
  });
});
