// What others may build on: the commands' parts, without the command line.
export { positionMessage, type SnapshotProgress, snapshotMessage } from './checkpoint/checkpoint-record.js';
export { runPipeline } from './pipeline.js';
export type { PipelineDependencies, PipelineOptions } from './pipeline-options.js';
