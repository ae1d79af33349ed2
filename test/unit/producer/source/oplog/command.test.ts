import { UUID } from 'bson';
import { describe, expect, it } from 'vitest';
import { readCommand } from '#producer/source/oplog/command.js';
import { raw } from '#test/unit/producer/support/entries.js';

describe('readCommand', () => {
  it('reads the name and what it works on', () => {
    expect(readCommand(raw({ drop: 'orders' }), 0)).toMatchObject({ name: 'drop', text: 'orders', to: '' });
    expect(readCommand(raw({ dropDatabase: 1 }), 0)).toMatchObject({ name: 'dropDatabase', text: '' });
  });

  it('reads where a rename goes, whatever stands between', () => {
    const command = raw({ renameCollection: 'shop.a', stayTemp: false, dropTarget: new UUID(), to: 'shop.b' });
    expect(readCommand(command, 0)).toMatchObject({ name: 'renameCollection', text: 'shop.a', to: 'shop.b' });
  });

  it('finds the value inside a buffer', () => {
    const source = Buffer.concat([Buffer.alloc(3), raw({ applyOps: [] })]);
    const { name, valueStart } = readCommand(source, 3);
    expect([name, source.readInt32LE(valueStart)]).toEqual(['applyOps', 5]);
  });

  it('reads an empty command as one without a name', () => {
    expect(readCommand(raw({}), 0)).toMatchObject({ name: '', text: '', to: '' });
  });
});
