// oplogFile, noDump, onlyDump, and the keys about how it works on: where the producer begins, and what it copies.
import type { Notices } from './notices.js';
import type { Reader } from './reader.js';
import { put, type Tree } from './tree.js';

const DEFAULT_OPLOG_FILE = 'oplog.timestamp';

/** @param exists - whether there is a file of this name that is not empty */
export function convertStart(config: Reader, tree: Tree, notices: Notices, exists: (file: string) => boolean): void {
  const oplogFile = config.text('oplogFile');
  const file = oplogFile ?? DEFAULT_OPLOG_FILE;
  if (exists(file)) {
    put(tree, 'producer.startAt', `file:${file}`, 'oplogFile');
    notices.note(
      'oplogFile',
      `a first start begins at mongo-connector’s place in ${file}; from then on the checkpoint is in Kafka`,
      'producer',
    );
  } else if (oplogFile !== undefined) {
    notices.replaced('oplogFile', `the checkpoint is in Kafka; ${file} is not there, so a first start begins now`, 'producer');
  }
  const onlyDump = config.flag('onlyDump') === true;
  // onlyDump beats noDump: mongo-connector dumped if either asked for it.
  if (config.flag('noDump') === true && !onlyDump) put(tree, 'producer.snapshot.mode', 'never', 'noDump');
  if (onlyDump) {
    put(tree, 'producer.snapshot.only', true, 'onlyDump');
    notices.note('onlyDump', 'the producer ends when all is in Kafka; a consumer goes on until it is stopped', 'consumer');
  }
  if (config.number('batchSize', { min: -1 }) !== undefined)
    notices.replaced('batchSize', 'each Kafka transaction carries its checkpoint', 'producer');
  if (config.flag('timezoneAware') !== undefined) notices.replaced('timezoneAware', 'dates are always UTC and say so', 'consumer');
  if (config.flag('continueOnError') !== undefined)
    notices.replaced(
      'continueOnError',
      'a refused document becomes a dead letter and the rest goes on; --on-error stop ends instead',
      'consumer',
    );
}
