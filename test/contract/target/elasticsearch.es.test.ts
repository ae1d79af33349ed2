// The contract on Elasticsearch: 8, and 9 where there is a Java for it.
import { hasJdk } from '@tailwater/devstack';
import { startElasticsearchRig } from './rigs/elasticsearch-rig.js';
import { describeTarget } from './suite.js';

describeTarget('es, version 8', () => startElasticsearchRig(8));
if (await hasJdk(21)) describeTarget('es, version 9', () => startElasticsearchRig(9));
