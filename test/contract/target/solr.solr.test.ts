// The contract on Solr: a standalone core, and a collection of two shards, where a batch goes to the leaders of both.
import { startSolrRig } from './rigs/solr-rig.js';
import { describeTarget } from './suite.js';

describeTarget('solr, standalone', () => startSolrRig('standalone', 'versioned'));
describeTarget('solr, cloud', () => startSolrRig('cloud'));
