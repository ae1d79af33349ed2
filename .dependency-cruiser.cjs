// The layers of docs/adr and the README, held by CI: packages import downwards only, a stage never imports a later one,
// and each client library has one home.
// Every folder of a half, the earliest first: one imports those before it, and none behind it. What is wired at the top (`session`, the consumer's `pipeline.ts`) and the command
// line come last. test/unit/docs/layout.test.ts holds that no folder is missing here, and that the documentation has the same.
const layers = {
  producer: [
    'changes',
    'memory',
    'source',
    'headroom',
    'enrich',
    'encode',
    'publish',
    'quarantine',
    'checkpoint',
    'metrics',
    'writer',
    'backfill',
    'tail',
    'signals',
    'election',
    'session',
    'cli',
  ],
  consumer: ['subscribe', 'changes', 'decode', 'transform', 'targets', 'apply', 'dead-letters', 'commit', 'repair', 'metrics', 'cli'],
};

const layerRules = Object.entries(layers).flatMap(([pkg, folders]) =>
  folders.slice(0, -1).map((folder, index) => ({
    name: `${pkg}-${folder}-imports-no-later-folder`,
    severity: 'error',
    from: { path: `^packages/${pkg}/src/${folder}/`, pathNot: '/consumer-metrics[.]ts$' }, // being moved
    to: { path: `^packages/${pkg}/src/((${folders.slice(index + 1).join('|')})/|[^/]+$)` },
  })),
);

module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } } },
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
      comment: 'kafkajs may be replaced: only these touch it',
      severity: 'error',
      from: {
        path: '^packages/(schema|runtime|producer|consumer)/',
        pathNot: [
          '^packages/runtime/src/kafka/',
          '^packages/producer/src/(publish|checkpoint|backfill/sweep|backfill/gap|signals|election)/kafka',
          '^packages/consumer/src/(subscribe|dead-letters)/kafka',
        ],
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
