import { TailwaterError } from '@tailwater/runtime';
import { describe, expect, it } from 'vitest';

describe('TailwaterError', () => {
  it('fills the catalogue’s message and hint', () => {
    const cause = new Error('ECONNREFUSED');
    const error = new TailwaterError('TW1203', { topic: 't', setting: 'cleanup.policy', actual: 'delete', expected: 'compact' }, { cause });
    expect(error).toMatchObject({
      name: 'TailwaterError',
      code: 'TW1203',
      message: 'The topic t has cleanup.policy=delete, but needs compact',
      retriable: false,
      exitCode: 1,
      cause,
    });
    expect(error.hint).toContain('--topic t --add-config cleanup.policy=compact');
    expect(error).toBeInstanceOf(Error);
  });

  it('masks secrets in what it is given', () => {
    const error = new TailwaterError('TW1101', { address: 'mongodb://root:hunter2@h1' });
    expect(`${error.message}${error.stack}${error.hint}${JSON.stringify(error)}`).not.toContain('hunter2');
  });

  it('shows a parameter that was forgotten, and takes values with braces and $ as they are', () => {
    expect(new TailwaterError('TW1208', { brokers: '{resource} $&' }).message).toBe(
      'Kafka at {resource} $& does not authorize this user: {resource}',
    );
  });
});
