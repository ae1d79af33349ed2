// docs/errors.md out of the catalogue, so that the two cannot disagree.
import type { ErrorEntry } from './error-entry.js';

const AREAS: readonly (readonly [prefix: string, title: string])[] = [
  ['TW10', 'Configuration and command line'],
  ['TW11', 'MongoDB'],
  ['TW12', 'Kafka'],
  ['TW13', 'Targets'],
  ['TW14', 'The process and its machine'],
  ['TW15', 'Records and documents'],
];

const INTRODUCTION = `# Errors

Every error that ends a process, or that a log or a status page names, has a code that does not change between versions.
In the texts below, \`{name}\` stands for a value. *Passes* says whether trying again can succeed without anyone changing
anything: such an error ends a process only at its start, later it is tried again. *Exit* is the exit code of a process that
the error ends; 0 is success, 70 a defect of the program, 75 a stop that ran out of time, 130 and 143 a second Ctrl-C or SIGTERM that cut the shutdown short.

<!-- Made from packages/runtime/src/errors/catalogue by test/unit/runtime/errors/docs-table.test.ts (run it with -u). -->
`;

/** The page for this catalogue. */
export function renderErrorReference(catalogue: Readonly<Record<string, ErrorEntry>>): string {
  const sections = AREAS.map(([prefix, title]) => {
    const entries = Object.entries(catalogue).filter(([code]) => code.startsWith(prefix));
    return `## ${title}\n\n${entries.map(([code, entry]) => renderEntry(code, entry)).join('\n')}`;
  });
  return [INTRODUCTION, ...sections].join('\n');
}

function renderEntry(code: string, entry: ErrorEntry): string {
  const facts = `*Passes:* ${entry.retriable ? 'yes' : 'no'}. *Exit:* ${entry.exitCode}.`;
  return `### ${code} ${entry.title}\n\n\`\`\`text\n${entry.message}\n\`\`\`\n\n${escapeMarkdown(entry.hint)} ${facts}\n`;
}

const escapeMarkdown = (text: string): string => text.replace(/[*_<>#[\]]/g, (character) => `\\${character}`);
