// The contract on MongoDB.
import { startMongoRig } from './rigs/mongo-rig.js';
import { describeTarget } from './suite.js';

describeTarget('mongo', startMongoRig);
