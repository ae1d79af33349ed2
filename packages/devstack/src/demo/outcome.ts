// What a demo came to, as a table.
import { formatCount, renderTable } from '@tailwater/runtime';

export interface Step {
  readonly what: string;
  /** Documents that were there, or compared. */
  readonly documents?: number;
  readonly events: number;
  readonly seconds: number;
  /** Undefined where nothing is compared. */
  readonly differences?: number;
}

export interface Outcome {
  readonly steps: readonly Step[];
  /** Documents of the source at the end. */
  readonly documents: number;
  readonly differences: number;
}

export function renderOutcome(outcome: Outcome): string {
  const rows = outcome.steps.map(({ what, documents, events, seconds, differences }) => [
    what,
    documents === undefined ? '' : formatCount(documents),
    formatCount(events),
    seconds.toFixed(1),
    formatCount(Math.round(events / Math.max(seconds, 0.001))),
    differences === undefined ? '' : formatCount(differences),
  ]);
  return `\n${renderTable(['', 'documents', 'events', 'seconds', 'events/s', 'differences'], rows)}\n`;
}
