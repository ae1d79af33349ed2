// `npm run bench -- MODE…`: what the pipeline reaches, beside what is possible, on this machine and in the same run.
import { formatBytes, formatCount, renderTable } from '@tailwater/runtime';
import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';
import { type Comparison, median, type Run } from './measure/median.js';
import { elasticsearchApply, mongoApply, solrApply } from './modes/consumer-modes.js';
import { latency, renderLatency } from './modes/latency.js';
import { many, renderMany } from './modes/many.js';
import { snapshot, tailInserts, tailUpdates, transaction } from './modes/producer-modes.js';

const modes = {
  'tail-inserts': tailInserts,
  'tail-updates': tailUpdates,
  transaction,
  snapshot,
  'es-apply': elasticsearchApply,
  'solr-apply': solrApply,
  'mongo-apply': mongoApply,
} as const;
const names = [...Object.keys(modes), 'latency', 'many'];

const given = await yargs(hideBin(process.argv))
  .usage(`npm run bench -- MODE… [options]\n\nModes: ${names.join(', ')}. All of them when none is named.`)
  .option('records', { type: 'number', default: 200_000, describe: 'Documents of about 1 KB' })
  .option('rounds', { type: 'number', default: 3, describe: 'Rounds, ours and the limit in turn; medians count' })
  .option('parallel', { type: 'number', describe: 'Chunks that a snapshot reads at once; the producer’s default when not given' })
  .option('collections', { type: 'number', array: true, default: [50, 150, 500], describe: 'Of the mode many: one run for each' })
  .option('json', { type: 'boolean', default: false, describe: 'Print JSON' })
  .strictOptions()
  .parseAsync();

const chosen = given._.length === 0 ? names : given._.map(String);
const unknown = chosen.filter((name) => !names.includes(name));
if (unknown.length > 0) {
  process.stderr.write(`Unknown mode ${unknown.join(', ')}: choose from ${names.join(', ')}\n`);
  process.exit(2);
}

for (const name of chosen) {
  process.stderr.write(`bench: ${name} …\n`);
  if (name === 'latency') {
    const result = await latency();
    process.stdout.write(given.json ? `${JSON.stringify(result)}\n` : renderLatency(result));
    continue;
  }
  if (name === 'many') {
    for (const collections of given.collections) {
      const run = await many(collections);
      process.stdout.write(given.json ? `${JSON.stringify(run)}\n` : renderMany(run));
    }
    continue;
  }
  const comparison = await modes[name as keyof typeof modes]({ records: given.records, rounds: given.rounds, parallel: given.parallel });
  process.stdout.write(given.json ? `${JSON.stringify(comparison)}\n` : render(comparison));
}

function render(comparison: Comparison): string {
  const row = (what: string, runs: readonly Run[]): string[] => [
    what,
    formatCount(Math.round(median(runs.map(({ rate }) => rate)))),
    runs.map(({ rate }) => formatCount(Math.round(rate))).join('  '),
    formatBytes(Math.max(...runs.map(({ peakRssBytes }) => peakRssBytes))),
    runs[0]?.cpuMicrosPerRecord === undefined
      ? ''
      : `${median(runs.map(({ cpuMicrosPerRecord }) => cpuMicrosPerRecord ?? 0)).toFixed(1)} µs`,
  ];
  const verdict = comparison.ratio >= comparison.floor ? 'reached' : 'MISSED';
  const rows = [row('tailwater', comparison.ours), row(comparison.limitIs, comparison.limit)];
  const table = renderTable([comparison.mode, comparison.unit, 'rounds', 'peak memory', 'CPU a record'], rows);
  return `${table}\n${comparison.mode}: ${comparison.ratio.toFixed(2)} of the limit (floor ${comparison.floor}, ${verdict})\n\n`;
}
