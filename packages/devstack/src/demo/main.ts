// `npm run demo`: the whole pipeline on real servers, from one command, with a comparison of every document at its end.
import { formatCount } from '@tailwater/runtime';
import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';
import { Demo, type DemoTarget } from './demo.js';
import { renderOutcome } from './outcome.js';

const TARGETS: readonly DemoTarget[] = ['es', 'mongo'];

const given = await yargs(hideBin(process.argv))
  .usage(
    'npm run demo -- [options]\n\nStarts MongoDB, Kafka and the targets, copies generated documents, runs a live mix of writes, and compares every document.',
  )
  .option('once', { type: 'boolean', default: false, describe: 'Exit after the comparison; 0 only without a difference' })
  .option('target', { type: 'string', array: true, choices: TARGETS, default: [...TARGETS], describe: 'Targets to keep in step' })
  .option('documents', { type: 'number', default: 20_000, describe: 'Documents to copy first' })
  .option('seconds', { type: 'number', default: 5, describe: 'Length of the live mix' })
  .example('npm run demo', 'on a terminal: stays up until Ctrl-C and says where to look')
  .example('npm run demo -- --once --target es', 'for scripts')
  .strict()
  .parseAsync();

const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort());

const demo = new Demo({
  targets: given.target as DemoTarget[],
  documents: given.documents,
  seconds: given.seconds,
  stream: process.stderr,
});
try {
  const outcome = await demo.run(stop.signal);
  process.stdout.write(renderOutcome(outcome));
  process.exitCode = outcome.differences === 0 ? 0 : 1;
  if (!given.once && process.stdout.isTTY && !stop.signal.aborted) {
    process.stdout.write(demo.whereToLook());
    await demo.keepWriting(stop.signal);
  }
  const verdict = outcome.differences === 0 ? 'in sync' : 'OUT OF SYNC';
  process.stdout.write(
    `demo: ${verdict}, ${formatCount(outcome.documents).replaceAll(/\D/g, '')} documents, ${outcome.differences} differences\n`,
  );
} catch (error) {
  if (!stop.signal.aborted) throw error;
} finally {
  await demo.stop();
}
