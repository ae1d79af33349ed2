// When to speak of the headroom: once when it falls below each level, and once when it has recovered.

/** In percent, descending. */
const LEVELS = [50, 25, 10];
/** It has to rise so far above a level before falling below it counts again, in percent. */
const HYSTERESIS = 5;

export type Alarm = { readonly kind: 'low'; readonly level: number } | { readonly kind: 'recovered' };

export class HeadroomAlarm {
  /** The lowest level that was spoken of and holds; undefined when none does. */
  #level: number | undefined;

  /** What to say of `leftPercent`, if anything. */
  judge(leftPercent: number): Alarm | undefined {
    const below = LEVELS.filter((level) => leftPercent < level).at(-1);
    if (below !== undefined && (this.#level === undefined || below < this.#level)) {
      this.#level = below;
      return { kind: 'low', level: below };
    }
    if (this.#level === undefined) return undefined;
    this.#level = LEVELS.filter((level) => leftPercent < level + HYSTERESIS).at(-1);
    return this.#level === undefined ? { kind: 'recovered' } : undefined;
  }
}
