// One pass over a topic: gathers the keys that are alive in it, asks the source for them by the thousand, and hands on those
// that the source does not have. Memory is bounded by two such thousands, whatever the size of topic and collection.
import {
  type ChangeEvent,
  findId,
  InvalidBsonError,
  InvalidEnvelopeError,
  isControlKey,
  recordKey,
  UnlistedSchemaIdError,
} from '@tailwater/schema';
import { idValue } from '../../source/mongo/id-value.js';
import type { IdsByKey } from '../source-keys.js';
import type { ScannedRecord } from './kafka-topic-scan.js';

/** Keys that are asked for at once at most, and characters of them: what a query and its answer carry stays small. */
const KEYS_PER_QUERY = 1000;
const CHARACTERS_PER_QUERY = 256 * 1024;

export interface TopicPassQueries {
  /** Which of these the source has. */
  readonly present: (ids: IdsByKey) => Promise<ReadonlySet<string>>;
  /** Takes keys that were not found, to look once more and publish what is still not there. */
  readonly publishTombstones: (ids: IdsByKey) => Promise<void>;
  /** The event of a record's value. @throws InvalidEnvelopeError if it is not an event */
  readonly decode: (value: Buffer) => ChangeEvent | Promise<ChangeEvent>;
}

export class TopicPass {
  readonly #questions: TopicPassQueries;
  readonly #unasked = new Map<string, unknown>();
  #characters = 0;
  /** Not found in the source, and not deleted by a later record so far. */
  readonly #missing = new Map<string, unknown>();
  #missingCharacters = 0;
  /** Records that are neither changes nor tombstones of ours: they are left alone. */
  foreign = 0;
  /** Records of ours that need a schema registry, while none is configured. */
  unlisted = 0;

  constructor(questions: TopicPassQueries) {
    this.#questions = questions;
  }

  /** Takes the next records, those of a key in their order. */
  async take(records: readonly ScannedRecord[]): Promise<void> {
    for (const { key, value } of records) {
      if (key === null || isControlKey(key)) continue;
      const text = key.toString('utf8');
      if (value === null) {
        this.#unasked.delete(text);
        this.#missing.delete(text);
      } else if (!this.#unasked.has(text) && !this.#missing.has(text)) {
        await this.#note(text, value);
        if (this.#unasked.size >= KEYS_PER_QUERY || this.#characters >= CHARACTERS_PER_QUERY) await this.#ask();
      }
    }
  }

  /** Asks for what is left, at the topic's end. */
  async finish(): Promise<void> {
    await this.#ask();
    await this.#publishTombstones();
  }

  /** Takes the `_id` from the record's document: a key does not tell every id's type. */
  async #note(key: string, value: Buffer): Promise<void> {
    try {
      const { document } = await this.#questions.decode(value);
      const id = findId(document);
      if (id !== undefined && recordKey(document, id.type, id.start) === key) {
        this.#unasked.set(key, idValue(document, id.type, id.start, id.end));
        this.#characters += key.length;
        return;
      }
    } catch (error) {
      if (!(error instanceof InvalidEnvelopeError || error instanceof InvalidBsonError)) throw error;
      if (error instanceof UnlistedSchemaIdError) {
        this.unlisted += 1;
        return;
      }
    }
    this.foreign += 1;
  }

  async #ask(): Promise<void> {
    if (this.#unasked.size === 0) return;
    const present = await this.#questions.present(this.#unasked);
    for (const [key, id] of this.#unasked) {
      if (present.has(key)) continue;
      this.#missing.set(key, id);
      this.#missingCharacters += key.length;
    }
    this.#unasked.clear();
    this.#characters = 0;
    if (this.#missing.size >= KEYS_PER_QUERY || this.#missingCharacters >= CHARACTERS_PER_QUERY) await this.#publishTombstones();
  }

  async #publishTombstones(): Promise<void> {
    if (this.#missing.size === 0) return;
    await this.#questions.publishTombstones(this.#missing);
    this.#missing.clear();
    this.#missingCharacters = 0;
  }
}
