// What others may build on: the commands' parts, without the command line.
export { positionMessage, type SnapshotProgress, snapshotMessage } from './checkpoint/checkpoint-record.js';
export { type PipelineDependencies, type PipelineOptions, runPipeline } from './pipeline.js';
