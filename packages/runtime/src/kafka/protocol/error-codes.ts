// What brokers answer with: https://kafka.apache.org/protocol#protocol_error_codes. kafkajs 2.2.4 knows them up to 88.

export const ERROR = {
  NONE: 0,
  OFFSET_OUT_OF_RANGE: 1,
  CORRUPT_MESSAGE: 2,
  UNKNOWN_TOPIC_OR_PARTITION: 3,
  LEADER_NOT_AVAILABLE: 5,
  NOT_LEADER_OR_FOLLOWER: 6,
  REPLICA_NOT_AVAILABLE: 9,
  COORDINATOR_LOAD_IN_PROGRESS: 14,
  COORDINATOR_NOT_AVAILABLE: 15,
  NOT_COORDINATOR: 16,
  ILLEGAL_GENERATION: 22,
  INCONSISTENT_GROUP_PROTOCOL: 23,
  INVALID_GROUP_ID: 24,
  UNKNOWN_MEMBER_ID: 25,
  INVALID_SESSION_TIMEOUT: 26,
  REBALANCE_IN_PROGRESS: 27,
  TOPIC_AUTHORIZATION_FAILED: 29,
  GROUP_AUTHORIZATION_FAILED: 30,
  CLUSTER_AUTHORIZATION_FAILED: 31,
  KAFKA_STORAGE_ERROR: 56,
  FETCH_SESSION_ID_NOT_FOUND: 70,
  INVALID_FETCH_SESSION_EPOCH: 71,
  FENCED_LEADER_EPOCH: 74,
  UNKNOWN_LEADER_EPOCH: 76,
  OFFSET_NOT_AVAILABLE: 78,
  MEMBER_ID_REQUIRED: 79,
  GROUP_MAX_SIZE_REACHED: 81,
} as const;

const NAMES: ReadonlyMap<number, string> = new Map(Object.entries(ERROR).map(([name, code]) => [code, name]));

/** A broker's refusal of a request. */
export class BrokerRefusal extends Error {
  override readonly name = 'BrokerRefusal';
  readonly code: number;
  /** The field's name for the code, by which kafkajs's errors are recognised too. */
  readonly type: string;
  readonly topic: string | undefined;

  constructor(code: number, request: string, topic?: string) {
    const type = NAMES.get(code) ?? `error ${code}`;
    super(`${request}: ${type}`);
    this.code = code;
    this.type = type;
    this.topic = topic;
  }
}

/** @throws BrokerRefusal when the code is one of an error */
export function throwRefusal(code: number, request: string, topic?: string): void {
  if (code !== ERROR.NONE) throw new BrokerRefusal(code, request, topic);
}
