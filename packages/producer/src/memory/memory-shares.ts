// What is under way between MongoDB and Kafka, in bytes: one budget per process, in which every stage has a fixed share, so that none
// waits for another to give some back. A stage stops taking when its share is used up; by then it may hold one reply of the server
// more (16 MB), since a reply tells its size only when it is there.

const DEFAULT_MEMORY_BUDGET_BYTES = 128 * 1024 * 1024;

/** Bytes each. */
export interface MemoryShares {
  /** What was read of the source and waits for the batch before it; also a portion of a transaction of several entries. */
  readonly readAhead: number;
  /** What waits in the lanes of all shards of a cluster. */
  readonly lanes: number;
  /** The documents of one Kafka transaction. */
  readonly slice: number;
  /** The documents that are looked up for one. */
  readonly lookup: number;
  /** The chunks of snapshots that were read and are not published, and each of them. */
  readonly chunks: number;
  readonly chunk: number;
  /** Buffers for records that are kept from one transaction to the next. */
  readonly kept: number;
}

export function divideMemory(budgetBytes: number = DEFAULT_MEMORY_BUDGET_BYTES): MemoryShares {
  const part = (parts: number): number => Math.floor((budgetBytes * parts) / 64);
  return { readAhead: part(2), lanes: part(8), slice: part(3), lookup: part(4), chunks: part(16), chunk: part(4), kept: part(4) };
}
