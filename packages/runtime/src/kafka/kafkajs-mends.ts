// What is mended of kafkajs 2.2.4, whose last release is of 2023, in its own modules: imported before any client is made.
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** As in kafkajs's table: `retriable` is for what passes by itself. */
interface ErrorCode {
  readonly type: string;
  readonly code: number;
  readonly retriable: boolean;
  readonly message: string;
}

const { errorCodes } = require('kafkajs/src/protocol/error') as { errorCodes: ErrorCode[] };

/** Its table ends at 88. Every later one would be an unknown error without a number. https://kafka.apache.org/protocol#protocol_error_codes */
const LATER_CODES: readonly ErrorCode[] = [
  { code: 89, type: 'THROTTLING_QUOTA_EXCEEDED', retriable: true, message: 'The throttling quota has been exceeded' },
  { code: 90, type: 'PRODUCER_FENCED', retriable: false, message: 'There is a newer producer with the same transactional id' },
  { code: 91, type: 'RESOURCE_NOT_FOUND', retriable: false, message: 'A request referred to a resource that does not exist' },
  { code: 92, type: 'DUPLICATE_RESOURCE', retriable: false, message: 'A request referred to the same resource twice' },
  { code: 93, type: 'UNACCEPTABLE_CREDENTIAL', retriable: false, message: 'The credential is not acceptable' },
  { code: 94, type: 'INCONSISTENT_VOTER_SET', retriable: false, message: 'The voter set is inconsistent' },
  { code: 95, type: 'INVALID_UPDATE_VERSION', retriable: false, message: 'The given update version was invalid' },
  { code: 96, type: 'FEATURE_UPDATE_FAILED', retriable: false, message: 'Unable to update finalized features' },
  { code: 97, type: 'PRINCIPAL_DESERIALIZATION_FAILURE', retriable: false, message: 'The forwarded principal cannot be read' },
  { code: 98, type: 'SNAPSHOT_NOT_FOUND', retriable: false, message: 'The requested snapshot was not found' },
  { code: 99, type: 'POSITION_OUT_OF_RANGE', retriable: false, message: 'The position is outside of the snapshot' },
  { code: 100, type: 'UNKNOWN_TOPIC_ID', retriable: true, message: 'This server does not host this topic id' },
  { code: 101, type: 'DUPLICATE_BROKER_REGISTRATION', retriable: false, message: 'This broker id is already in use' },
  { code: 102, type: 'BROKER_ID_NOT_REGISTERED', retriable: false, message: 'The given broker id was not registered' },
  { code: 103, type: 'INCONSISTENT_TOPIC_ID', retriable: true, message: 'The topic id in the log is not that of the request' },
  { code: 104, type: 'INCONSISTENT_CLUSTER_ID', retriable: false, message: 'The cluster id is not that of the request' },
  { code: 105, type: 'TRANSACTIONAL_ID_NOT_FOUND', retriable: false, message: 'The transactional id could not be found' },
  { code: 106, type: 'FETCH_SESSION_TOPIC_ID_ERROR', retriable: true, message: 'The fetch session met inconsistent topic ids' },
  { code: 107, type: 'INELIGIBLE_REPLICA', retriable: false, message: 'The new in-sync replicas hold an ineligible one' },
  { code: 108, type: 'NEW_LEADER_ELECTED', retriable: false, message: 'The leader has completed an election itself' },
  { code: 109, type: 'OFFSET_MOVED_TO_TIERED_STORAGE', retriable: false, message: 'The offset has moved to tiered storage' },
  { code: 110, type: 'FENCED_MEMBER_EPOCH', retriable: false, message: 'The member epoch is fenced by the coordinator' },
  { code: 111, type: 'UNRELEASED_INSTANCE_ID', retriable: false, message: 'The instance id is still used by another member' },
  { code: 112, type: 'UNSUPPORTED_ASSIGNOR', retriable: false, message: 'No member or broker supports the assignor' },
  { code: 113, type: 'STALE_MEMBER_EPOCH', retriable: false, message: 'The member epoch is stale' },
  { code: 117, type: 'UNKNOWN_SUBSCRIPTION_ID', retriable: false, message: 'The subscription is not known' },
  { code: 119, type: 'INVALID_REGISTRATION', retriable: false, message: 'The registration is invalid' },
  { code: 120, type: 'TRANSACTION_ABORTABLE', retriable: false, message: 'The transaction has to be aborted and begun again' },
  { code: 123, type: 'INVALID_REGULAR_EXPRESSION', retriable: false, message: 'The regular expression is not valid' },
  { code: 124, type: 'REBOOTSTRAP_REQUIRED', retriable: false, message: 'The client has to find its brokers anew' },
];

for (const later of LATER_CODES) if (!errorCodes.some(({ code }) => code === later.code)) errorCodes.push(later);

/** What is used of kafkajs's queue of requests to a broker. */
interface RequestQueue {
  readonly throttledUntil: number;
  readonly pending: readonly unknown[];
  throttleCheckTimeoutId: NodeJS.Timeout | null;
  checkPendingRequests(): void;
  scheduleCheckPendingRequests(): void;
}

/** How soon a request that waits for one before it is looked at again, in milliseconds; the answer to that one does so too. */
const CHECK_MS = 10;

const Queue = require('kafkajs/src/network/requestQueue') as { prototype: RequestQueue };

/**
 * Behind every answer kafkajs sets a timer for requests that wait, also where none does, and then for a time in the past, of which Node 24 warns
 * (https://github.com/tulios/kafkajs/issues/1751). What is enqueued later sets its own.
 */
Queue.prototype.scheduleCheckPendingRequests = function scheduleCheckPendingRequests(this: RequestQueue): void {
  if (this.throttleCheckTimeoutId || this.pending.length === 0) return;
  const throttledMs = this.throttledUntil - Date.now();
  this.throttleCheckTimeoutId = setTimeout(
    () => {
      this.throttleCheckTimeoutId = null;
      this.checkPendingRequests();
    },
    throttledMs > 0 ? throttledMs : CHECK_MS,
  );
};

/** What is used of an answer about topics. */
interface MetadataAnswer {
  readonly topicMetadata: readonly { readonly partitionMetadata: readonly { readonly leader: number }[] }[];
}
interface MetadataExchange {
  readonly request: object;
  readonly response: { parse(data: MetadataAnswer): Promise<MetadataAnswer> };
}
type MetadataVersion = (parameters: { readonly topics: readonly string[] }) => MetadataExchange;

const metadata = require('kafkajs/src/protocol/requests/metadata') as {
  protocol: (asked: { readonly version: number }) => MetadataVersion;
};
const { protocol } = metadata;

/**
 * One partition without a leader, of whatever topic of the cluster, fails every question about all topics: which there are, which brokers. Asked for all, its
 * answer is taken as it is, and such a partition has the leader -1; asked for some by name, kafkajs waits for their leaders, as it should.
 */
metadata.protocol = ({ version }) => {
  const exchange = protocol({ version });
  return (parameters) => {
    const { request, response } = exchange(parameters);
    return parameters.topics.length > 0 ? { request, response } : { request, response: { ...response, parse: async (data) => data } };
  };
};

/** What is used of kafkajs's connection. */
interface Connection {
  socket?: { destroy(): void };
  send(protocol: object): Promise<unknown>;
  rejectRequests(error: Error): void;
  disconnect(): Promise<unknown>;
}

const { prototype } = require('kafkajs/src/network/connection') as { prototype: Connection };
const { send, disconnect } = prototype;
/** How long, in milliseconds, the last bytes may take when a connection is ended politely. */
const FAREWELL_MS = 1_000;

/**
 * A request that was not answered in time may stand on a connection whose other end is gone without a sign: kafkajs would send it, and all that follow, over the
 * same connection until the kernel gives that up, which takes a quarter of an hour. Other clients connect anew, and so does this one.
 */
prototype.send = async function sendOrLose(this: Connection, protocol: object): Promise<unknown> {
  try {
    return await send.call(this, protocol);
  } catch (error) {
    if ((error as Error).name === 'KafkaJSRequestTimeoutError') {
      this.rejectRequests(
        Object.assign(new Error('The connection was given up'), { name: 'KafkaJSConnectionClosedError', retriable: true }),
      );
      await this.disconnect();
    }
    throw error;
  }
};

/** An end that is not answered, or one of a connection that never came to be, leaves its socket open for ever. */
prototype.disconnect = async function disconnectForGood(this: Connection): Promise<unknown> {
  const { socket } = this;
  const done = await disconnect.call(this);
  setTimeout(() => socket?.destroy(), FAREWELL_MS).unref();
  return done;
};
