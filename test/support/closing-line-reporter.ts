// Prints `N passed, N failed` as the last line of a run, the line that scripts and CI read, and before it the name of each
// test that passed only when it was run again, with what it failed with before: a race in it or in what it tests, to be looked into.
import type { TestError } from 'vitest';
import type { Reporter, TestModule } from 'vitest/node';

export class ClosingLineReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const flaky: string[] = [];
    const count = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    for (const module of modules) {
      if (module.errors().length > 0) count.failed += 1;
      for (const test of module.children.allTests()) {
        const { state, errors } = test.result();
        if (test.diagnostic()?.flaky === true) {
          const failures = errors?.map(({ message, diff, stacks }) => [message, diff, placeOf(stacks)].filter(Boolean).join('\n')) ?? [];
          flaky.push([`${module.relativeModuleId} > ${test.fullName}`, ...failures].join('\n'));
        }
        if (state === 'passed') count.passed += 1;
        else if (state === 'failed') count.failed += 1;
        else count.skipped += 1;
      }
    }
    const skipped = count.skipped > 0 ? `, ${count.skipped} skipped` : '';
    process.on('exit', () => {
      for (const name of flaky) process.stdout.write(`Passed when run again: ${name}\n`);
      process.stdout.write(`${count.passed} passed, ${count.failed} failed${skipped}\n`);
    });
  }
}

const placeOf = (stacks: TestError['stacks']): string | undefined => {
  const [at] = stacks ?? [];
  return at === undefined ? undefined : `at ${at.file}:${at.line}`;
};

// vitest loads a reporter named by its path through the default export.
export { ClosingLineReporter as default };
