// The layers of docs/adr and the README, held by CI: packages import downwards only, a stage never imports a later one,
// and each client library has one home.
const stages = {
  producer: ['source', 'normalize', 'enrich', 'encode', 'publish', 'checkpoint'],
  consumer: ['subscribe', 'decode', 'transform', 'apply', 'dead-letters', 'commit'],
};

// The pipeline wires the stages and the CLI starts it: nothing below may reach up to them.
const stageRules = Object.entries(stages).flatMap(([pkg, names]) =>
  names.slice(0, -1).map((stage, index) => ({
    name: `${pkg}-${stage}-imports-no-later-stage`,
    severity: 'error',
    from: { path: `^packages/${pkg}/src/${stage}/` },
    to: { path: `^packages/${pkg}/src/(${names.slice(index + 1).join('|')})/` },
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
      from: { path: '^packages/(schema|runtime|producer|consumer)/' },
      to: { path: '^packages/devstack/' },
    },
    {
      name: 'stages-do-not-know-the-pipeline',
      severity: 'error',
      from: { path: '^packages/(producer|consumer)/src/[^/]+/', pathNot: '^packages/[^/]+/src/cli/' },
      to: { path: '^packages/(producer|consumer)/src/((pipeline|session)\\.ts|cli/)' },
    },
    {
      name: 'kafkajs-has-few-homes',
      comment: 'kafkajs may be replaced: only these touch it',
      severity: 'error',
      from: {
        path: '^packages/(schema|runtime|producer|consumer)/',
        pathNot: [
          '^packages/runtime/src/kafka/',
          '^packages/producer/src/(publish|checkpoint|sweep|signals)/kafka',
          '^packages/consumer/src/(subscribe|dead-letters)/kafka',
        ],
      },
      to: { path: 'node_modules/kafkajs' },
    },
    {
      name: 'elasticsearch-client-has-one-home',
      severity: 'error',
      from: { path: '^packages/', pathNot: '^packages/consumer/src/apply/elasticsearch/' },
      to: { path: 'node_modules/@elastic' },
    },
    {
      name: 'undici-has-three-homes',
      severity: 'error',
      from: {
        path: '^packages/(schema|runtime|producer|consumer)/',
        pathNot: '^packages/(consumer/src/apply/solr|runtime/src/registry)/|^packages/runtime/src/kafka/token-source',
      },
      to: { path: 'node_modules/undici' },
    },
    ...stageRules,
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '/dist/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'require', 'node', 'default', 'types'] },
  },
};
