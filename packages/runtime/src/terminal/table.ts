// A table as plain aligned columns: readable on a terminal, and by awk.
import Table from 'cli-table3';

const NO_LINES = Object.fromEntries(
  [
    'top',
    'top-mid',
    'top-left',
    'top-right',
    'bottom',
    'bottom-mid',
    'bottom-left',
    'bottom-right',
    'left',
    'left-mid',
    'mid',
    'mid-mid',
    'right',
    'right-mid',
  ].map((name) => [name, '']),
);
const NUMERIC = /^-?\d[\d,.]*( ?[%\p{L}/]+)?$/u;

export interface TableOptions {
  /** Bold heads. Default false; see `useColor`. */
  readonly color?: boolean;
}

/**
 * Columns two spaces apart, those of numbers aligned to the right. Control characters are shown as spaces: cells may come
 * from other people's data.
 *
 * @returns the lines without a line break at the end
 */
export function renderTable(head: readonly string[], rows: readonly (readonly (string | number)[])[], options: TableOptions = {}): string {
  const cells = rows.map((row) => row.map((cell) => String(cell).replace(/\p{Cc}+/gu, ' ')));
  const table = new Table({
    head: head.map((title) => (options.color === true && title !== '' ? `\u001b[1m${title}\u001b[22m` : title)),
    chars: { ...NO_LINES, middle: '  ' },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
    colAligns: head.map((_, column) => (isNumeric(cells.map((row) => row[column] ?? '')) ? 'right' : 'left')),
  });
  table.push(...cells);
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

function isNumeric(column: readonly string[]): boolean {
  const filled = column.filter((cell) => cell !== '' && cell !== '-');
  return filled.length > 0 && filled.every((cell) => NUMERIC.test(cell));
}
