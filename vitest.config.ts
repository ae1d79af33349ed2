import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const source = (name: string) => fileURLToPath(new URL(`./packages/${name}/src/index.ts`, import.meta.url));

// Tests import the packages' sources, so a failure points at a line that someone wrote; the CLIs that the
// end-to-end tests spawn come from dist, which `npm test` builds first.
const alias = Object.fromEntries(
  ['schema', 'runtime', 'mongo-connector', 'producer', 'consumer', 'devstack'].map((name) => [`@tailwater/${name}`, source(name)]),
);

export default defineConfig({
  test: {
    reporters: ['default', './test/support/closing-line-reporter.ts'],
    projects: [
      {
        resolve: { alias },
        // Some start a process each: on a busy machine that takes seconds.
        test: {
          name: 'unit',
          include: ['test/{unit,property}/**/*.test.ts'],
          setupFiles: ['test/support/property-seed.ts'],
          testTimeout: 30_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        // Real servers: mostly they wait for one another, so that two cores do two files at a time, with limits that a slow machine does not reach.
        resolve: { alias },
        test: {
          name: 'servers',
          include: ['test/{contract,integration,e2e,faults,browser}/**/*.test.ts'],
          maxWorkers: 2,
          // Servers that live for seconds: half of what they take of the processor is the optimizing compiler.
          env: { TAILWATER_STACK_JAVA_OPTIONS: '-XX:TieredStopAtLevel=1' },
          sequence: { groupOrder: 1 },
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
});
