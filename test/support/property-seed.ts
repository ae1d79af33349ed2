// Where `CI` is set, properties are tried with the same inputs each time, so that a run says something about the change and not about luck.
// TAILWATER_PROPERTY_SEED tries others; without either each run has its own, which fast-check prints when it fails.
import fc from 'fast-check';

const DEFAULT_SEED = 20261130;

const given = process.env['TAILWATER_PROPERTY_SEED'] ?? (process.env['CI'] === undefined ? undefined : String(DEFAULT_SEED));
if (given !== undefined) fc.configureGlobal({ seed: Number(given) });
