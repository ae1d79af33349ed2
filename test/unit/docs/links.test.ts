// Every link inside the documentation leads somewhere, and every anchor is a heading there.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildSite } from '#devstack/docs/build-site.js';
import { documents, headingsOf, linksOf, PROJECT } from '#devstack/docs/markdown.js';

const files = documents();

describe.each(files.map((file) => relative(PROJECT, file)))('%s', (name) => {
  const file = join(PROJECT, name);
  it('has no link that leads nowhere', () => {
    const broken = linksOf(readFileSync(file, 'utf8')).filter((link) => {
      if (/^[a-z]+:/.test(link)) return false;
      const [path = '', anchor] = link.split('#');
      const target = path === '' ? file : join(dirname(file), decodeURIComponent(path));
      if (!existsSync(target)) return true;
      return (
        anchor !== undefined &&
        target.endsWith('.md') &&
        !headingsOf(readFileSync(target, 'utf8')).some((heading) => heading.anchor === anchor)
      );
    });
    expect(broken).toEqual([]);
  });
});

it('lists every page in the index', () => {
  const pages = readdirSync(join(PROJECT, 'docs')).filter((name) => name.endsWith('.md') && name !== 'README.md');
  expect(linksOf(readFileSync(join(PROJECT, 'docs/README.md'), 'utf8'))).toEqual(expect.arrayContaining(pages));
});

it('makes a site whose links between pages lead somewhere', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'site-'));
  try {
    await buildSite(folder);
    const broken: string[] = [];
    for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((each) => each.endsWith('.html'))) {
      const html = readFileSync(join(folder, name), 'utf8');
      expect(html).not.toMatch(/<(?:script|link|img|iframe)\b|@import|url\(/);
      for (const [, href = ''] of html.replaceAll(/<code>.*?<\/code>/gs, '').matchAll(/<a [^>]*href="([^"]*)"/g)) {
        if (/^[a-z]+:/.test(href)) continue;
        const [path = '', anchor] = href.split('#');
        const target = path === '' ? join(folder, name) : join(folder, dirname(name), path);
        if (!existsSync(target) || (anchor && !readFileSync(target, 'utf8').includes(`id="${anchor}"`))) broken.push(`${name}: ${href}`);
      }
    }
    expect(broken).toEqual([]);
  } finally {
    await rm(folder, { recursive: true });
  }
});
