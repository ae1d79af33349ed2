// The project's Markdown: which files there are, their links and anchors, and the commands that they tell people to type.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { marked, type Token, type Tokens } from 'marked';

export const PROJECT = fileURLToPath(new URL('../../../..', import.meta.url));

/** The paths of the documents, those of the root first. */
export function documents(): string[] {
  const markdownIn = (folder: string): string[] =>
    readdirSync(join(PROJECT, folder))
      .filter((name) => name.endsWith('.md'))
      .sort()
      .map((name) => join(PROJECT, folder, name));
  return [...markdownIn('.'), ...markdownIn('docs'), ...markdownIn('docs/adr')];
}

/** As GitHub names headings: small letters, digits, `-` for spaces, nothing else. */
const slug = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

function* walk(tokens: readonly Token[]): Generator<Token> {
  for (const token of tokens) {
    yield token;
    const inner = token as { tokens?: Token[]; items?: Tokens.ListItem[]; header?: Tokens.TableCell[]; rows?: Tokens.TableCell[][] };
    yield* walk(inner.tokens ?? []);
    for (const item of inner.items ?? []) yield* walk(item.tokens);
    for (const cell of [...(inner.header ?? []), ...(inner.rows ?? []).flat()]) yield* walk(cell.tokens);
  }
}

const plain = (tokens: readonly Token[]): string =>
  tokens
    .map((token) => ('tokens' in token && token.tokens !== undefined ? plain(token.tokens) : 'text' in token ? token.text : ''))
    .join('');

/** The headings with the anchors that links name, in their order. */
export function headingsOf(markdown: string): { readonly depth: number; readonly text: string; readonly anchor: string }[] {
  const seen = new Map<string, number>();
  return marked
    .lexer(markdown)
    .filter((token): token is Tokens.Heading => token.type === 'heading')
    .map(({ depth, tokens }) => {
      const text = plain(tokens);
      const base = slug(text);
      const count = seen.get(base) ?? 0;
      seen.set(base, count + 1);
      return { depth, text, anchor: count === 0 ? base : `${base}-${count}` };
    });
}

export function linksOf(markdown: string): string[] {
  return [...walk(marked.lexer(markdown))].flatMap((token) =>
    token.type === 'link' || token.type === 'image' ? [String(token.href)] : [],
  );
}

/** The commands of fenced `sh` blocks, without comments. One goes on in the next line behind a backslash or inside quotes. */
export function shellCommands(markdown: string): string[] {
  return [...walk(marked.lexer(markdown))].flatMap((token) => {
    if (token.type !== 'code' || token.lang !== 'sh') return [];
    const commands: string[] = [];
    let open = '';
    for (const line of String(token.text).replaceAll('\\\n', ' ').split('\n')) {
      open += open === '' ? line.replace(/(^|\s)#.*$/, '') : `\n${line}`;
      if (open.split("'").length % 2 === 0) continue;
      if (open.trim() !== '') commands.push(open.trim());
      open = '';
    }
    return commands;
  });
}

/** The words of a simple command, as a shell splits them. */
export function wordsOf(command: string): string[] {
  const words = command.match(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g) ?? [];
  return words.map((word) =>
    word.replace(/'([^']*)'|"([^"]*)"/g, (_, single: string | undefined, double: string | undefined) => single ?? double ?? ''),
  );
}
