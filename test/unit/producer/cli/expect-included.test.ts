import { describe, expect, it } from 'vitest';
import { expectReadable } from '#producer/cli/expect-included.js';

describe('expectReadable', () => {
  it.each([
    ['local.oplog.rs', 'oplog', 'TW1253'],
    ['config.*', 'change-stream', 'TW1253'],
    ['admin.x', 'change-stream', 'TW1254'],
  ] as const)('tells that %s is never in a source of kind %s', (pattern, source, code) => {
    expect(() => expectReadable(['shop.*', pattern], source)).toThrow(expect.objectContaining({ code }));
  });

  it('takes what can be read, and what a wildcard only happens to cover', () => {
    expect(() => expectReadable(['admin.x', '*.x', 'l*.x', 'localhost.x'], 'oplog')).not.toThrow();
    expect(() => expectReadable(['*.x', 'a*.x'], 'change-stream')).not.toThrow();
  });
});
