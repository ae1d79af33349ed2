import { createLogger, TailwaterError } from '@tailwater/runtime';
import { describe, expect, it } from 'vitest';

function collect(options: Partial<Parameters<typeof createLogger>[0]> = {}) {
  const lines: string[] = [];
  const logger = createLogger({ name: 'producer', format: 'json', ...options, destination: { write: (line) => void lines.push(line) } });
  return { logger, lines, json: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

describe('createLogger', () => {
  it('writes a JSON line with level, time, name and component', () => {
    const { logger, json } = collect();
    logger.child({ component: 'tail' }).info({ namespace: 'a.b' }, 'Hello');
    expect(json()).toEqual([
      {
        level: 'info',
        time: expect.stringMatching(/^\d{4}-.*Z$/),
        pid: process.pid,
        name: 'producer',
        component: 'tail',
        namespace: 'a.b',
        msg: 'Hello',
      },
    ]);
  });

  it('writes nothing below its level', () => {
    const { logger, lines } = collect({ level: 'warn' });
    logger.info('no');
    logger.warn('yes');
    expect(lines).toHaveLength(1);
  });

  it('lets no secret out: by key, in a text, in an error, in a child’s bindings', () => {
    const { logger, lines, json } = collect();
    logger.info(
      { password: 'hunter2', kafka: { sasl: { password: 'hunter2' } }, url: 'http://u:hunter2@h' },
      'apiKey=hunter2 of %s',
      'mongodb://u:hunter2@h',
    );
    logger.child({ uri: 'mongodb://u:hunter2@h' }).warn('child');
    logger.error({ err: new Error('token=hunter2', { cause: new Error('mongodb://u:hunter2@h') }) }, 'failed');
    expect(lines.join('')).not.toContain('hunter2');
    expect(json()).toHaveLength(3);
  });

  it('writes an error with a code by its text, one without by its stack', () => {
    const { logger, json } = collect();
    logger.error({ err: new TailwaterError('TW1101', { address: 'h' }, { cause: new Error('refused') }) }, 'a');
    logger.error(new Error('boom'));
    expect(json()[0]?.['err']).toEqual({
      type: 'TailwaterError',
      message: 'Cannot reach MongoDB at h',
      code: 'TW1101',
      hint: expect.stringContaining('mongod'),
      causes: ['refused'],
    });
    expect(json()[1]).toMatchObject({
      msg: 'boom',
      err: { type: 'Error', message: 'boom', stack: expect.stringContaining('logger.test.ts') },
    });
  });

  it('writes readable lines when asked to', () => {
    const { logger, lines } = collect({ format: 'pretty' });
    logger.child({ component: 'tail' }).info({ lagMs: 5 }, 'Caught up');
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^\[\d\d:\d\d:\d\d\.\d{3}\] INFO: \[tail\] Caught up {"lagMs":5}\n$/);
  });
});
