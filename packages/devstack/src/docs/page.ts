// One page of the documentation: its frame and its style. Nothing is fetched from elsewhere.

export interface PageContent {
  readonly title: string;
  readonly navigation: readonly { readonly text: string; readonly href: string; readonly isHere: boolean }[];
  /** HTML. */
  readonly body: string;
  readonly home: string;
}

const STYLE = `
:root { color-scheme: light dark; --line: #8884; --link: light-dark(#0a58ca, #7db3ff); --code: #8882; }
* { box-sizing: border-box; }
body { margin: 0; font: 16px/1.55 system-ui, sans-serif; }
.frame { display: grid; grid-template-columns: 15rem minmax(0, 1fr); max-width: 78rem; margin: 0 auto; }
nav { padding: 1.5rem; border-right: 1px solid var(--line); }
nav a { display: block; padding: .15rem 0; color: inherit; text-decoration: none; }
nav a[aria-current], nav a:hover { color: var(--link); }
nav .home { font-weight: 700; font-size: 1.2rem; margin-bottom: .5rem; }
main { padding: 1.5rem 2rem 4rem; overflow-wrap: break-word; }
a { color: var(--link); }
h1 a, h2 a, h3 a, h4 a { color: inherit; text-decoration: none; }
h2 { margin-top: 2.2rem; border-bottom: 1px solid var(--line); }
code { background: var(--code); padding: .1em .3em; border-radius: 3px; font: .9em ui-monospace, monospace; }
pre { background: var(--code); padding: .8rem 1rem; overflow-x: auto; border-radius: 5px; line-height: 1.4; }
pre code { background: none; padding: 0; }
.table { overflow-x: auto; }
table { border-collapse: collapse; }
th, td { border: 1px solid var(--line); padding: .35rem .6rem; text-align: left; vertical-align: top; min-width: 6rem; }
@media (max-width: 46rem) {
  .frame { display: block; }
  nav { border-right: 0; border-bottom: 1px solid var(--line); columns: 2; }
  main { padding: 1rem; }
}
`;

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

export function page({ title, navigation, body, home }: PageContent): string {
  const links = navigation.map(
    ({ text, href, isHere }) => `<a href="${href}"${isHere ? ' aria-current="page"' : ''}>${escaped(text.replace(/^\d+\. /, ''))}</a>`,
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)} · Tailwater</title><style>${STYLE}</style></head>
<body><div class="frame"><nav><a class="home" href="${home}">Tailwater</a>
${links.join('\n')}
</nav><main>
${body}</main></div></body></html>
`;
}
