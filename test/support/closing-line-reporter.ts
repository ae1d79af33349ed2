// Prints `N passed, N failed` as the last line of a run, the line that scripts and CI read.
import { writeFileSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';

/** More files than this fail by a defect, not by a busy machine. */
const MAX_AGAIN = 4;

export class ClosingLineReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const count = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    for (const module of modules) {
      if (module.errors().length > 0) count.failed += 1;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === 'passed') count.passed += 1;
        else if (state === 'failed') count.failed += 1;
        else count.skipped += 1;
      }
    }
    if (unhandledErrors.length === 0) writeFailedFiles(modules.filter((module) => module.state() === 'failed'));
    const skipped = count.skipped > 0 ? `, ${count.skipped} skipped` : '';
    process.on('exit', () => process.stdout.write(`${count.passed} passed, ${count.failed} failed${skipped}\n`));
  }
}

/** Writes the files that may be run again, a line each: those with servers, and only when nothing else failed. */
function writeFailedFiles(failed: readonly TestModule[]): void {
  const path = process.env['TAILWATER_FAILED_FILES'];
  if (path === undefined || failed.length > MAX_AGAIN || failed.some(({ project }) => project.name !== 'servers')) return;
  writeFileSync(path, failed.map(({ relativeModuleId }) => `${relativeModuleId}\n`).join(''));
}

// vitest loads a reporter named by its path through the default export.
export { ClosingLineReporter as default };
