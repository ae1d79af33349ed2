// What both processes need, by concern. Everything is handed in where it is used; nothing here is global.
export { abortable } from './async/abortable.js';
export { Backoff, type BackoffOptions } from './async/backoff.js';
export { type Clock, systemClock } from './async/clock.js';
export { Mutex } from './async/mutex.js';
export { Notifier } from './async/notifier.js';
export { onAbort } from './async/on-abort.js';
export { Queue } from './async/queue.js';
export { sleep } from './async/sleep.js';
export type { CliDescription, Command, CommandContext, PositionalSpec } from './cli/command.js';
export { type CommandPage, renderCommandReference } from './cli/command-reference.js';
export { configCheckCommand, type Prepared } from './cli/config-check-command.js';
export { configPrintCommand } from './cli/config-print-command.js';
export { type Confirmation, confirm, dryRunOption, yesOption } from './cli/confirm.js';
export { type Cli, type CliIo, type CliOptions, createCli, describeCli } from './cli/create-cli.js';
export type { Configuration, ForeignConfiguration, ForeignFlag, ForeignOption } from './cli/foreign-configuration.js';
export { type ConfigFile, type FileEntry, parseConfigFile, readConfigFile, readConfigText } from './config/config-file.js';
export { programScope, targetScope } from './config/file-scope.js';
export { configJsonSchema } from './config/json-schema.js';
export { type Flags, loadOptions, missingOption } from './config/load-options.js';
export {
  type ConfigOption,
  list,
  map,
  type Option,
  type Options,
  type OptionValues,
  option,
  text,
  toggle,
  wholeNumber,
} from './config/option.js';
export { actualOf, expectedOf, parseTyped } from './config/option-value.js';
export { renderConfigReference } from './config/reference-page.js';
export { escapeReferences } from './config/references.js';
export { configOptions, keyOf, TARGET_PATH } from './config/schema/configuration.js';
export { expectedTargetName, isModulePath, isTargetName } from './config/schema/targets.js';
export { type User, userOf } from './config/user.js';
export { type ErrorCode, errorCatalogue, errorCodes } from './errors/catalogue.js';
export { isConnectionEnd } from './errors/connection-end.js';
export { renderErrorReference } from './errors/docs-table.js';
export type { ErrorEntry } from './errors/error-entry.js';
export { isSecretName, REDACTED, redact, redactAddress, redactError, redactUrl } from './errors/redact.js';
export { type RenderErrorOptions, renderError } from './errors/render-error.js';
export { type ErrorParams, TailwaterError } from './errors/tailwater-error.js';
export { alterTopic } from './kafka/alter-topic.js';
export { type CheckKafkaOptions, checkKafka, type KafkaCluster } from './kafka/check-kafka.js';
export type { KafkaConnection } from './kafka/connection.js';
export { createKafka, type KafkaClient } from './kafka/create-kafka.js';
export type { CommittedRecords } from './kafka/fetch-committed.js';
export { askCoordinator } from './kafka/group/group-coordinator.js';
export { GroupMembership } from './kafka/group/group-membership.js';
export type { GroupProtocol, MembershipState } from './kafka/group/group-protocol.js';
export { toKafkaError } from './kafka/kafka-errors.js';
export { kafkaConnection, kafkaOptions } from './kafka/kafka-options.js';
export { clusterFactory } from './kafka/kafkajs-cluster.js';
export {
  type CommittedOffset,
  committedOffsets,
  type KnownEnds,
  knownEnds,
  offsetsAt,
  type PartitionEnds,
  partitionEnds,
} from './kafka/offsets.js';
export { type Broker, BrokerConnections, type BrokerRequest } from './kafka/protocol/broker-connections.js';
export { type ClusterMetadata, readMetadata, readTopics, type TopicPartitions } from './kafka/protocol/cluster-metadata.js';
export { BrokerRefusal, ERROR } from './kafka/protocol/error-codes.js';
export {
  EARLIEST,
  type FetchedPartition,
  type FetchParameters,
  type FetchPosition,
  fetchRecords,
  LATEST,
  type ListedOffset,
  listOffsets,
} from './kafka/protocol/fetch-requests.js';
export {
  commitOffsets,
  type DescribedGroup,
  describeGroup,
  fetchOffsets,
  findCoordinator,
  type Member,
  type MemberAssignment,
} from './kafka/protocol/group-requests.js';
export type { EpochEnd, ReadBatches } from './kafka/protocol/record-batches.js';
export { topicSetting } from './kafka/protocol/topic-settings.js';
export {
  addPartitionsToTransaction,
  endTransaction,
  findTransactionCoordinator,
  initProducerId,
  type ProducerIdentity,
} from './kafka/protocol/transaction-requests.js';
export { WireReader, WireWriter } from './kafka/protocol/wire.js';
export { type CommittedPartition, CommittedReader } from './kafka/read-committed.js';
export { type OffsetRange, readRanges } from './kafka/read-ranges.js';
export { toCreationError } from './kafka/topics/brokers-away.js';
export { describeTopics } from './kafka/topics/describe-topics.js';
export { keptSettings, type PlannedShape } from './kafka/topics/kept-settings.js';
export { type DescribedTopic, KEEPING_RULES, type SettingRule, type TopicUse } from './kafka/topics/setting-rules.js';
export { named, TopicAdvice } from './kafka/topics/topic-advice.js';
export { type ProcessDeps, runProcess, StopRequested } from './lifecycle/run-process.js';
export { runServices, type Service } from './lifecycle/services.js';
export { LOG_COMPONENTS } from './logging/log-components.js';
export { LOG_LEVELS, type LogLevel, parseLogLevels } from './logging/log-levels.js';
export { createLogger, LOG_FORMATS, type LogFormat, type Logger, type LoggerOptions } from './logging/logger.js';
export { type Log, type LogSettings, openLog } from './logging/open-log.js';
export { Outage, type OutageTexts } from './logging/outage.js';
export { parseSyslogAddress } from './logging/syslog-address.js';
export { type MetricDeclaration, type MetricsOf, type MetricTable, renderMetricReference } from './metrics/metric-table.js';
export {
  type Counter,
  createMetrics,
  type Gauge,
  type GaugeOptions,
  type Histogram,
  type HistogramOptions,
  LATENCY_BUCKETS_SECONDS,
  type MetricOptions,
  type Metrics,
} from './metrics/metrics.js';
export { registerNamespaceCounter } from './metrics/namespace-counter.js';
export { BUILD_INFO, READY, registerProcess } from './metrics/process-metrics.js';
export { KAFKA_REQUEST_SECONDS, RequestTimes } from './metrics/request-times.js';
export { isConnectionOption, isMissingFile, srvFailure, withConnectionString } from './mongo/connection-string.js';
export { memberFailure } from './mongo/member-failure.js';
export { type MongoAccess, mongoAccess } from './mongo/mongo-access.js';
export { isLabelledPassing, isServerGone } from './mongo/passing-failures.js';
export {
  type ConnectionStatus,
  describePrivileges,
  grantOf,
  missingPrivileges,
  type Privilege,
  type Resource,
} from './mongo/privileges.js';
export { RAW_BATCHES, RAW_DOCUMENTS } from './mongo/raw-reply.js';
export { LASTING_CODES, PASSING_CODES } from './mongo/server-codes.js';
export { compileFieldRules, type FieldRules, type FieldRulesOptions, type FieldSelection, fieldEntry } from './namespaces/field-rules.js';
export { matchesNamespace, type NamespaceName, type NamespacePattern, parseNamespacePattern } from './namespaces/namespace-pattern.js';
export {
  type CompiledNamespaceRules,
  compileNamespaceRules,
  type NamespaceRules,
  type NamespaceRulesOptions,
  withBuckets,
} from './namespaces/namespace-rules.js';
export { registryOptions, schemaRegistryOf } from './registry/registry-options.js';
export { type SchemaRegistry, schemaLookup } from './registry/schema-registry.js';
export { toStatusJson } from './status/json.js';
export { kafkaWatch } from './status/kafka-watch.js';
export { type Peer, type PeerTrouble, PeerWatch, registerUp, UP } from './status/peer-watch.js';
export { StallWatch, type WorkSeen } from './status/stall-watch.js';
export { statusListen, statusOptions } from './status/status-options.js';
export {
  type Health,
  type StatusAnswer,
  type StatusRoute,
  type StatusServer,
  type StatusServerOptions,
  startStatusServer,
} from './status/status-server.js';
export { createProgress, type Progress, type ProgressOptions, type ProgressState } from './terminal/progress.js';
export { renderTable, type TableOptions } from './terminal/table.js';
export { useColor } from './text/color.js';
export { formatBytes, formatCount, formatDuration, formatRate } from './text/format.js';
export { nearestOf, suggest } from './text/nearest.js';
export { type TlsFailure, tlsFailure } from './tls/tls-failure.js';
export { readTlsFiles, type TlsFileOptions, type TlsMaterial } from './tls/tls-files.js';
