// The layers of docs/adr and the README, held by CI: packages import downwards only, a stage never imports a later one,
// and each client library has one home.
const { layers, kafkajsHomes } = require('./.layers.cjs');

const named = (entries) => `(${entries.map((entry) => (entry.endsWith('.ts') ? `${entry.replace('.', '[.]')}$` : `${entry}/`)).join('|')})`;

const layerRules = Object.entries(layers).flatMap(([pkg, entries]) =>
  entries.slice(0, -1).map((entry, index) => ({
    name: `${pkg}-${entry}-imports-nothing-later`,
    severity: 'error',
    from: { path: `^packages/${pkg}/src/${named([entry])}` },
    to: { path: `^packages/${pkg}/src/${named(entries.slice(index + 1))}` },
  })),
);

module.exports = {
  forbidden: [
    { name: 'no-circular', comment: 'imports of types included', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-orphans', severity: 'error', from: { orphan: true, path: '^packages/[^/]+/src/', pathNot: 'index\\.ts$' }, to: {} },
    { name: 'not-to-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    { name: 'schema-imports-nothing-local', severity: 'error', from: { path: '^packages/schema/' }, to: { path: '^packages/(?!schema/)' } },
    {
      name: 'runtime-imports-nothing-local',
      severity: 'error',
      from: { path: '^packages/runtime/' },
      to: { path: '^packages/(?!runtime/)' },
    },
    {
      name: 'halves-do-not-know-each-other',
      severity: 'error',
      from: { path: '^packages/(producer|consumer)/' },
      to: { path: '^packages/(producer|consumer|devstack)/', pathNot: '^packages/$1/' },
    },
    {
      name: 'devstack-is-for-development',
      severity: 'error',
      from: { path: '^packages/(schema|runtime|mongo-connector|producer|consumer)/' },
      to: { path: '^packages/devstack/' },
    },
    {
      name: 'mongo-connector-imports-runtime-only',
      severity: 'error',
      from: { path: '^packages/mongo-connector/' },
      to: { path: '^packages/(?!(mongo-connector|runtime)/)' },
    },
    {
      name: 'mongo-connector-is-known-to-the-commands-only',
      severity: 'error',
      from: { path: '^packages/', pathNot: '^packages/(mongo-connector/|(producer|consumer)/src/cli/)' },
      to: { path: '^packages/mongo-connector/' },
    },
    {
      name: 'kafkajs-has-few-homes',
      severity: 'error',
      from: {
        path: '^packages/(schema|runtime|producer|consumer)/',
        pathNot: kafkajsHomes.map((home) => `^packages/${home.replace('*', '')}`),
      },
      to: { path: 'node_modules/kafkajs' },
    },
    {
      name: 'elasticsearch-client-has-one-home',
      severity: 'error',
      from: { path: '^packages/', pathNot: '^packages/consumer/src/targets/elasticsearch/' },
      to: { path: 'node_modules/@elastic' },
    },
    {
      name: 'undici-has-three-homes',
      severity: 'error',
      from: {
        path: '^packages/(schema|runtime|producer|consumer)/',
        pathNot: '^packages/(consumer/src/targets/solr|runtime/src/registry)/|^packages/runtime/src/kafka/token-source',
      },
      to: { path: 'node_modules/undici' },
    },
    ...layerRules,
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '/dist/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'require', 'node', 'default', 'types'] },
  },
};
