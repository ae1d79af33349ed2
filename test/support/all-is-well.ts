// Watches that have nothing to tell, for tests of what else makes a consumer unready.
import type { Watches } from '#consumer/cli/report.js';

export const ALL_IS_WELL: Watches = { kafka: { reason: undefined }, server: { reason: undefined }, stall: { forMs: undefined } };
