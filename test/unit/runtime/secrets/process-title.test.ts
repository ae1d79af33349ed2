import { describe, expect, it } from 'vitest';
import { titleWithoutSecrets } from '#runtime/secrets/process-title.js';

const flags = new Set(['--mongo', '--kafka-password']);
const title = (line: string) => titleWithoutSecrets(line.split(' '), flags);

describe('what ps shows', () => {
  it('has no secrets, whichever way they are given', () => {
    expect(title('producer start --kafka-password geheim --prefix tw')).toBe('producer start --kafka-password *** --prefix tw');
    expect(title('producer start --kafka-password=ge=heim')).toBe('producer start --kafka-password=***');
    expect(title('producer start --mongo mongodb://u:p@h/?replicaSet=rs0')).toBe(
      'producer start --mongo mongodb://u:***@h/?replicaSet=rs0',
    );
    expect(title('producer start --mongo geheim')).toBe('producer start --mongo ***');
  });

  it('is left alone when there is nothing to hide', () => {
    expect(title('producer start --prefix tw --mongo mongodb://h/?replicaSet=rs0')).toBeUndefined();
    expect(title('producer start --kafka-password file:/run/secrets/kafka')).toBeUndefined();
  });
});
