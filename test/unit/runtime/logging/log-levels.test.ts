import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createLogger, LOG_COMPONENTS, parseLogLevels } from '@tailwater/runtime';
import { describe, expect, it } from 'vitest';

describe('parseLogLevels', () => {
  it('is a level for all, and others for single components; the last of each counts', () => {
    expect(parseLogLevels([])).toEqual({ level: 'info', components: new Map() });
    const levels = parseLogLevels(['warn', 'kafka=error', 'Headroom = DEBUG', 'kafka=silent', 'error']);
    expect(levels).toEqual({
      level: 'error',
      components: new Map([
        ['kafka', 'silent'],
        ['headroom', 'debug'],
      ]),
    });
  });

  it.each([
    ['wran', 'there is no level "wran", did you mean warn?'],
    ['kafak=warn', 'there is no component "kafak", did you mean kafka?'],
    ['kafka=', 'there is no level ""'],
    ['=warn', 'there is no component ""'],
  ])('refuses %s', (text, reason) => {
    expect(() => parseLogLevels([text])).toThrow(expect.objectContaining({ code: 'TW1080', message: expect.stringContaining(reason) }));
  });

  it('knows every component that a logger is made for', () => {
    const root = fileURLToPath(new URL('../../../../packages', import.meta.url));
    const named = ['runtime', 'producer', 'consumer'].flatMap((name) =>
      readdirSync(`${root}/${name}/src`, { recursive: true, encoding: 'utf8' })
        .filter((file) => file.endsWith('.ts'))
        .flatMap((file) => [...readFileSync(`${root}/${name}/src/${file}`, 'utf8').matchAll(/child\(\{ component: '([a-z-]+)' \}\)/g)])
        .map((match) => match[1]),
    );
    expect([...new Set(named)].sort()).toEqual([...LOG_COMPONENTS]);
  });
});

describe('a logger with levels by component', () => {
  it('writes of each component what its level lets through', () => {
    const lines: string[] = [];
    const destination = { write: (line: string) => void lines.push((JSON.parse(line) as { msg: string }).msg) };
    const logger = createLogger({ name: 'producer', levels: parseLogLevels(['warn', 'kafka=error', 'oplog=debug']), destination });
    logger.info('main info');
    logger.warn('main warn');
    logger.child({ component: 'kafka' }).warn('kafka warn');
    logger.child({ component: 'kafka' }).error('kafka error');
    logger.child({ component: 'gap' }).info('gap info');
    logger.child({ component: 'oplog' }).child({ shard: 's0' }).debug('oplog debug');
    expect(lines).toEqual(['main warn', 'kafka error', 'oplog debug']);
  });
});
