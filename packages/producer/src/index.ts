// What others may build on: the commands' parts, without the command line.
export { type Checkpoint, CheckpointReader, type SnapshotProgress } from './checkpoint/checkpoint-record.js';
export { type PipelineDependencies, type PipelineOptions, runPipeline } from './pipeline.js';
