// kafkajs's log into ours. kafkajs calls ERROR whatever it is going to try again by itself; here an error is what is not handled.
import { type LogEntry, type logCreator, logLevel } from 'kafkajs';
import type { Logger } from '../logging/logger.js';
import type { BrokerHealth } from './broker-health.js';
import { RepeatFilter } from './repeat-filter.js';

type Level = 'trace' | 'debug' | 'info' | 'warn' | 'error';

/**
 * The text of the protocol's error 51 in kafkajs's table, the only trace of it in a log entry. The coordinator gives it between
 * any two quick transactions, and kafkajs asks again.
 */
export const CONCURRENT_TRANSACTIONS_TEXT =
  'The producer attempted to update a transaction while another concurrent operation on the same transaction was ongoing';

/** What is left out of a line: it is in the message, or of use to kafkajs's authors only. */
const LEFT_OUT = new Set(['timestamp', 'logger', 'message', 'stack', 'helpUrl', 'clientId', 'correlationId', 'size']);

/**
 * A `logCreator` for kafkajs, see https://kafka.js.org/docs/custom-logger. The bridge decides what is written, so give kafkajs
 * itself the level that {@link kafkajsLogLevel} computes, else it formats debug lines for nothing.
 */
export function createKafkajsLogBridge(
  logger: Logger,
  health: Pick<BrokerHealth, 'failed'>,
  filter: RepeatFilter = new RepeatFilter(),
): logCreator {
  return () => (entry) => {
    const broker = entry.log['broker'];
    const reason = reasonOfLostConnection(entry);
    if (reason !== undefined && typeof broker === 'string') health.failed(broker, reason);
    const level = levelOf(entry);
    if (!logger.isLevelEnabled(level)) return;
    const message = `${entry.namespace}: ${String(entry.log.message)}`;
    const fields = Object.fromEntries(Object.entries(entry.log).filter(([name]) => !LEFT_OUT.has(name)));
    if (level !== 'warn' && level !== 'error') {
      logger[level](fields, message);
      return;
    }
    filter.pass(`${level} ${message} ${String(entry.log['broker'] ?? '')} ${String(entry.log['error'] ?? '')}`, (repeated) => {
      if (repeated === undefined) logger[level](fields, message);
      else
        logger[level](
          { repeated: repeated.times },
          `${message} (repeated ${repeated.times} times in the last ${repeated.windowMs / 1000} s)`,
        );
    });
  };
}

/** How much kafkajs should hand over, for a logger of this level. */
export function kafkajsLogLevel(logger: Logger): logLevel {
  if (logger.isLevelEnabled('debug')) return logLevel.DEBUG;
  return logger.isLevelEnabled('info') ? logLevel.INFO : logLevel.WARN;
}

/** `connect ECONNREFUSED 127.0.0.1:9092`; undefined for what is no failed or lost connection. */
function reasonOfLostConnection({ namespace, level, log }: LogEntry): string | undefined {
  if (namespace !== 'Connection' || level !== logLevel.ERROR) return undefined;
  const [, reason, timeout] = LOST_CONNECTION.exec(String(log.message)) ?? [];
  return reason ?? timeout;
}

const LOST_CONNECTION = /^(?:Connection error: (.+)|(Connection timeout))$/;

function levelOf({ namespace, level, log }: LogEntry): Level {
  const message = String(log.message);
  if (log['error'] === CONCURRENT_TRANSACTIONS_TEXT || message.endsWith(CONCURRENT_TRANSACTIONS_TEXT)) return 'trace';
  // A command that a person waits for is meant to end, and its sender sees what was not sent.
  if (level === logLevel.DEBUG || message.startsWith('Limiting retries for the idempotent producer')) return 'trace';
  // Joining and leaving are reported by the caller.
  if (level === logLevel.INFO) return 'debug';
  // The brokers' health reports lost connections, and a response's error is thrown to the sender of the request.
  if (namespace === 'Connection' || message.includes('Connection error') || message.includes('Connection timeout')) return 'debug';
  // An answer to a request that was given up.
  if (namespace === 'RequestQueue') return 'debug';
  // After a crash that passes kafkajs says that it starts again; any other is thrown to the caller that runs the consumer.
  if (message.startsWith('Crash:') || message.startsWith('Restarting the consumer')) return 'debug';
  if (namespace === 'BrokerPool' || 'retryCount' in log) return 'warn';
  if (message.startsWith('The group is rebalancing') || message.startsWith('The coordinator is not aware of this member')) return 'debug';
  return level === logLevel.WARN ? 'warn' : 'error';
}
