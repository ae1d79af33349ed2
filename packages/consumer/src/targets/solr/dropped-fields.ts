// What did not get into Solr although its document did, for metrics and status (promise E).

/** So many names are kept; the numbers count all. */
const MAX_NAMES = 100;

export class DroppedFields {
  /** NaN and infinite numbers. */
  values = 0;
  /** Values without a field in the schema. */
  fields = 0;
  readonly #names = new Set<string>();

  get names(): readonly string[] {
    return [...this.#names];
  }

  note(name: string): void {
    if (this.#names.size < MAX_NAMES) this.#names.add(name);
  }

  count(values: number, fields: number): void {
    this.values += values;
    this.fields += fields;
  }
}
