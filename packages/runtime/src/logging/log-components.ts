// The parts of both processes that a log line can come from: what --log-level may name.

export const LOG_COMPONENTS = [
  'apply',
  'change-stream',
  'dead-letters',
  'gap',
  'gridfs',
  'headroom',
  'kafka',
  'lead',
  'mongodb',
  'normalize',
  'oplog',
  'pipeline',
  'publish',
  'quarantine',
  'registry',
  'signals',
  'snapshot',
  'status',
  'subscribe',
  'sweep',
] as const;
