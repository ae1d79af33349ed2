// An error as a person reads it in a terminal: code, what happened, what to do, and why, in one screenful and without secrets.
import { errorCatalogue, errorCodes } from './catalogue.js';
import { redact } from './redact.js';
import { TailwaterError } from './tailwater-error.js';

const MAX_CAUSES = 3;
/** Causes may form a circle. */
const MAX_DEPTH = 10;
const MAX_CAUSE_LENGTH = 300;
const MAX_STACK_LINES = 12;

export interface RenderErrorOptions {
  /** Bold and red by ANSI codes. Default false. */
  readonly color?: boolean;
  /** Columns to wrap at. Default 100. */
  readonly width?: number;
}

/** The text to print, with a line break at its end. */
export function renderError(error: unknown, options: RenderErrorOptions = {}): string {
  const { color = false, width = 100 } = options;
  const bold = (text: string) => (color ? `\u001b[1m${text}\u001b[22m` : text);
  const red = (text: string) => (color ? `\u001b[31m${text}\u001b[39m` : text);
  const coded = error instanceof TailwaterError ? error : unexpected(error);
  const lines = [wrap(`${red(bold(coded.code))} ${coded.message}`, width, ''), wrap(`${bold('What to do:')} ${coded.hint}`, width, '  ')];
  const causes = causeChain(coded);
  if (causes.length > 0) lines.push(causes.map((cause) => wrap(`${bold('Because:')} ${cause}`, width, '  ')).join('\n'));
  if (coded !== error) lines.push(stackOf(error));
  return `${lines.filter((line) => line !== '').join('\n')}\n`;
}

/** The error itself when it has a code, else TW1499 around it. */
function unexpected(error: unknown): TailwaterError {
  const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const cause = error instanceof Error ? error.cause : undefined;
  return new TailwaterError(
    errorCodes.UNEXPECTED_ERROR,
    { reason: reason.split('\n')[0] ?? errorCatalogue[errorCodes.UNEXPECTED_ERROR].title },
    cause === undefined ? {} : { cause },
  );
}

/**
 * What the causes of an error say, the nearest first, each once and in one line.
 * The members of an `AggregateError` without a text of its own speak for it (Node's failed connects to several addresses).
 */
export function causeChain(error: Error): string[] {
  const seen = new Set([error.message]);
  const causes: string[] = [];
  let cause: unknown = error.cause;
  for (let depth = 0; depth < MAX_DEPTH && causes.length < MAX_CAUSES && cause !== undefined && cause !== null; depth += 1) {
    const text = oneLine(cause);
    if (![...seen].some((other) => other.includes(text))) causes.push(text);
    seen.add(text);
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  return causes;
}

function oneLine(cause: unknown): string {
  const text = redact(messageOf(cause)).replace(/\s+/g, ' ').trim();
  return text.length > MAX_CAUSE_LENGTH ? `${text.slice(0, MAX_CAUSE_LENGTH - 1)}…` : text;
}

function messageOf(cause: unknown): string {
  if (cause instanceof AggregateError && cause.message === '') return cause.errors.map(messageOf).join('; ');
  if (cause instanceof TailwaterError) return `${cause.code} ${cause.message}`;
  if (cause instanceof Error) return cause.message === '' ? cause.name : cause.message;
  return String(cause);
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error) || error.stack === undefined) return '';
  const frames = error.stack.split('\n').filter((line) => line.trimStart().startsWith('at '));
  return redact(frames.slice(0, MAX_STACK_LINES).join('\n'));
}

/** Lines that the text has of its own stay lines. */
function wrap(text: string, width: number, indent: string): string {
  return text
    .split('\n')
    .map((line) => wrapLine(line, width, indent))
    .join('\n');
}

function wrapLine(text: string, width: number, indent: string): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = `${indent}${word}`;
    } else {
      line = line === '' ? `${lines.length === 0 ? '' : indent}${word}` : `${line} ${word}`;
    }
  }
  return [...lines, line].join('\n');
}
