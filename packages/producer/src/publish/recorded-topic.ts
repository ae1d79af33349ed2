/** The topic that the records of a namespace went to so far. */
export interface RecordedTopic {
  /** Into how many partitions its keys are divided. */
  readonly partitions: number;
  /** By which brokers tell it from another topic of its name; undefined where they do not, and in records of earlier releases. */
  readonly id: string | undefined;
}
