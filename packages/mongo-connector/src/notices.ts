// What becomes of the keys that do not simply go on under another name.

/** Replaced: something else does what it was for. Refused: it has no effect, and nothing takes its place. Ignored: mongo-connector knew no such key. */
type Fate = 'replaced' | 'refused' | 'ignored' | 'note';

export interface Notice {
  readonly key: string;
  readonly fate: Fate;
  /** What takes its place, or why nothing does. */
  readonly text: string;
  /** Which process it concerns; both when not given. */
  readonly process?: 'producer' | 'consumer';
}

export class Notices {
  readonly #notices: Notice[] = [];

  get all(): readonly Notice[] {
    return this.#notices;
  }

  replaced(key: string, text: string, process?: Notice['process']): void {
    this.#add({ key, fate: 'replaced', text, ...(process === undefined ? {} : { process }) });
  }

  refused(key: string, text: string, process?: Notice['process']): void {
    this.#add({ key, fate: 'refused', text, ...(process === undefined ? {} : { process }) });
  }

  /** The key is honoured, but there is something to know. */
  note(key: string, text: string, process?: Notice['process']): void {
    this.#add({ key, fate: 'note', text, ...(process === undefined ? {} : { process }) });
  }

  ignored(keys: readonly string[]): void {
    for (const key of keys) this.#add({ key, fate: 'ignored', text: 'mongo-connector had no such key' });
  }

  #add(notice: Notice): void {
    this.#notices.push(notice);
  }
}

/** All of them in one sentence or two, for the log of one process. */
export function summarize(notices: readonly Notice[], process: 'producer' | 'consumer'): string {
  const mine = notices.filter((notice) => (notice.process ?? process) === process);
  const titles: readonly (readonly [Fate, string])[] = [
    ['replaced', 'Replaced'],
    ['refused', 'Without effect'],
    ['ignored', 'Unknown'],
    ['note', 'To know'],
  ];
  const parts = titles.flatMap(([fate, title]) => {
    const texts = mine.filter((notice) => notice.fate === fate).map(({ key, text }) => `${key} (${text})`);
    return texts.length === 0 ? [] : [`${title}: ${texts.join('; ')}.`];
  });
  return ['The configuration is mongo-connector’s; docs/from-mongo-connector.md tells what becomes of each key.', ...parts].join(' ');
}
