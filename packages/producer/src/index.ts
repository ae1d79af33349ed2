// What others may build on: the commands' parts, without the command line.
export { positionMessage, type SnapshotProgress, snapshotMessage } from './checkpoint/checkpoint-record.js';
export type { PipelineDependencies, PipelineOptions } from './session/options.js';
export { runPipeline } from './session/producer.js';
