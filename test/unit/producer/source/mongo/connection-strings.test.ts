import { describe, expect, it } from 'vitest';
import { oneMongosUri } from '#producer/source/mongo/one-mongos.js';
import { memberUri, shardUri } from '#producer/source/mongo/shards.js';

describe('shardUri', () => {
  it.each([
    ['mongodb://mongos1:27017,mongos2:27017/', 'rs0/a:1,b:2', 'mongodb://a:1,b:2/?replicaSet=rs0'],
    [
      'mongodb://user:p%40ss@mongos/admin?authSource=x&tls=true',
      'rs0/a:1',
      'mongodb://user:p%40ss@a:1/admin?authSource=x&tls=true&replicaSet=rs0',
    ],
    ['mongodb://mongos?directConnection=true', 'rs0/a:1', 'mongodb://a:1/?replicaSet=rs0'],
    ['mongodb+srv://user:secret@cluster.example/?srvMaxHosts=2', 'rs0/a:1', 'mongodb://user:secret@a:1/?tls=true&replicaSet=rs0'],
    ['mongodb+srv://cluster.example/?tls=false', 'a:1', 'mongodb://a:1/?tls=false'],
  ])('of %s and %s', (uri, host, expected) => {
    expect(shardUri(uri, host)).toBe(expected);
  });
});

describe('memberUri', () => {
  it('is the way to one member, whoever else the connection string names', () => {
    const uri = 'mongodb://user:p%40ss@a:1,b:2/?replicaSet=rs0&tls=true';
    expect(memberUri(uri, 'b:2')).toBe('mongodb://user:p%40ss@b:2/?tls=true&directConnection=true');
    expect(memberUri('mongodb://a:1', 'b:2')).toBe('mongodb://b:2/?directConnection=true');
  });
});

describe('oneMongosUri', () => {
  it('takes one host after the other', () => {
    const uri = 'mongodb://user:secret@a:1,b:2,c:3/admin?tls=true';
    expect([0, 1, 2, 3].map((turn) => oneMongosUri(uri, turn))).toEqual([
      'mongodb://user:secret@a:1/admin?tls=true',
      'mongodb://user:secret@b:2/admin?tls=true',
      'mongodb://user:secret@c:3/admin?tls=true',
      'mongodb://user:secret@a:1/admin?tls=true',
    ]);
    expect(oneMongosUri('mongodb://a:1', 5)).toBe('mongodb://a:1/');
  });

  it('leaves the choice to the driver where hosts come from DNS', () => {
    expect(oneMongosUri('mongodb+srv://cluster.example/?tls=true', 1)).toBe('mongodb+srv://cluster.example/?tls=true&srvMaxHosts=1');
  });
});
