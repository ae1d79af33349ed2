// `npm run docs`: the documentation as a folder of plain pages that need no server and nothing from outside.
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { Marked } from 'marked';
import { documents, headingsOf, linksOf, PROJECT } from './markdown.js';
import { page } from './page.js';

/** Where a document's page is: `docs/README.md` is the index, the project's own README and others keep their names. */
function pathOf(file: string): string {
  const name = relative(PROJECT, file);
  if (name === join('docs', 'README.md')) return 'index.html';
  const path = name.startsWith('docs') ? relative('docs', name) : name;
  return path.replace(/\.md$/, '.html').toLowerCase();
}

/** Links between documents become links between pages; those to other files of the project lose their target. */
function pageLink(href: string, file: string, pages: ReadonlyMap<string, string>): string | undefined {
  if (/^[a-z]+:/.test(href) || href.startsWith('#')) return href;
  const [path = '', anchor] = href.split('#');
  const target = pages.get(join(dirname(file), path));
  if (target === undefined) return undefined;
  const from = dirname(pages.get(file) as string);
  return `${relative(from, target)}${anchor === undefined ? '' : `#${anchor}`}`;
}

/** Writes the site into `folder`, which is emptied first. @returns the number of pages */
export async function buildSite(folder: string): Promise<number> {
  const files = documents();
  const pages = new Map(files.map((file) => [file, pathOf(file)]));
  const index = join(PROJECT, 'docs', 'README.md');
  const order = linksOf(await readFile(index, 'utf8')).map((href) => join(PROJECT, 'docs', href));
  await rm(folder, { recursive: true, force: true });
  for (const file of files) {
    const markdown = await readFile(file, 'utf8');
    const anchors = headingsOf(markdown);
    const own = pages.get(file) as string;
    const marked = new Marked({
      renderer: {
        heading({ tokens, depth }) {
          const { anchor } = anchors.shift() ?? { anchor: '' };
          return `<h${depth} id="${anchor}"><a href="#${anchor}">${this.parser.parseInline(tokens)}</a></h${depth}>\n`;
        },
        link({ href, tokens }) {
          const target = pageLink(href, file, pages);
          const text = this.parser.parseInline(tokens);
          return target === undefined ? text : `<a href="${target}">${text}</a>`;
        },
        table(token) {
          const row = (cells: typeof token.header, tag: string): string =>
            `<tr>${cells.map((cell) => `<${tag}>${this.parser.parseInline(cell.tokens)}</${tag}>`).join('')}</tr>`;
          return `<div class="table"><table><thead>${row(token.header, 'th')}</thead><tbody>${token.rows.map((cells) => row(cells, 'td')).join('')}</tbody></table></div>\n`;
        },
      },
    });
    const [title] = anchors;
    const navigation = await Promise.all(
      order.map(async (each) => ({
        text: headingsOf(await readFile(each, 'utf8'))[0]?.text ?? '',
        href: relative(dirname(own), pages.get(each) as string),
        isHere: each === file,
      })),
    );
    const body = await marked.parse(markdown);
    const path = join(folder, own);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, page({ title: title?.text ?? own, navigation, body, home: relative(dirname(own), 'index.html') }));
  }
  return files.length;
}
