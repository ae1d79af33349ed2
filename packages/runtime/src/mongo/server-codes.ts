// What the server's error codes mean for reads and writes: by the categories that the server itself gives them in src/mongo/base/error_codes.yml
// (https://github.com/mongodb/mongo/blob/master/src/mongo/base/error_codes.yml, of 4.2 to 8.1), not by their texts.

/** What time cures, by category. */
const PASSING = {
  NetworkError: [6, 7, 89, 317, 384, 9001],
  RetriableError: [134, 358, 402, 406, 407, 412, 462, 50_915, 91_331, 10_045_600],
  Interruption: [24, 50, 237, 262, 279, 281, 282, 290, 355, 453, 11_601, 46_841],
  NotPrimaryError: [189, 10_058, 10_107, 11_602, 13_435, 13_436],
  ShutdownError: [91, 333, 11_600],
  CancellationError: [90, 310, 312],
  CursorInvalidatedError: [43, 96, 175, 314],
  ExceededTimeLimitError: [202],
  SnapshotError: [239, 246, 250, 272],
  StaleShardVersionError: [63, 150, 13_388],
  CloseConnectionError: [303, 372, 398],
  WriteConcernError: [64, 79, 100],
  SystemOverloadedError: [433, 449, 450],
  /**
   * Of no category, and passing by what they are: InternalError, UnknownError, LockBusy, OperationIncomplete, NoProgressMade,
   * RemoteResultsUnavailable, NotYetInitialized, NotSecondary, LockFailed, ConfigurationInProgress, WriteConflict,
   * ConflictingOperationInProgress, FailedToSatisfyReadPreference, CappedPositionLost (whether the place itself is lost is seen when it is
   * read again), CursorInUse, PooledConnectionsDropped, ExceededMemoryLimit, NoConfigPrimary, InitialSyncActive, TransportSessionClosed and
   * its kin, BalancerInterrupted, ShardingStateNotInitialized, NoSuchSession, TooManyLocks, KeyNotFound (signing keys that are not there
   * yet), DatabaseDropPending, ElectionInProgress, IndexModified, CloseChangeStream, RetryChangeStream, StaleDbVersion, TooManyLogicalSessions,
   * TooManyFilesOpen, PreparedTransactionInProgress, CurrentConfigNotCommittedYet, MovePrimaryInProgress, ReshardCollectionInProgress,
   * ReshardingCriticalSectionTimeout, ShardCannotRefreshDueToLocksHeld, TemporarilyUnavailable,
   * AddOrRemoveShardInProgress, RetryMultiPlanning, OutOfDiskSpace, ConfigServerUnreachable.
   */
  none: [
    1, 8, 46, 77, 82, 83, 94, 95, 107, 109, 112, 117, 133, 136, 143, 145, 146, 149, 164, 172, 173, 174, 194, 203, 206, 208, 211, 215, 216,
    221, 222, 234, 249, 261, 264, 267, 308, 319, 338, 342, 343, 365, 414, 442, 14_031, 56_846,
  ],
} as const;

/** What waiting does not cure: the request, the user or the server's configuration has to be changed. */
const LASTING = [
  // BadValue, FailedToParse, UserNotFound, UnsupportedFormat, Unauthorized, TypeMismatch, Overflow, InvalidLength, AuthenticationFailed
  2, 9, 11, 12, 13, 14, 15, 16, 18,
  // IllegalOperation, InvalidBSON, RoleNotFound, ManualInterventionRequired, CommandNotFound, InvalidNamespace, CommandNotSupported
  20, 22, 31, 51, 59, 73, 115,
  // ReadConcernMajorityNotEnabled, MaxStalenessOutOfRange, ViewDepthLimitExceeded, CommandNotSupportedOnView, OptionNotSupportedOnView
  148, 160, 165, 166, 167,
  // InvalidPipelineOperator, InvalidViewDefinition, AuthenticationRestrictionUnmet, QueryFeatureNotAllowed, InternalErrorNotSupported
  168, 182, 214, 224, 235,
  // NotImplemented, InvalidResumeToken, ChangeStreamFatalError, ChangeStreamHistoryLost, NoQueryExecutionPlans, DataCorruptionDetected
  238, 260, 280, 286, 291, 301,
  // APIVersionError, APIStrictError, APIDeprecationError, MechanismUnavailable, APIMismatchError, UnsupportedOpQueryCommand
  322, 323, 324, 334, 347, 352,
  // NonConformantBSON, QueryRejectedBySettings, BSONObjectTooLarge, IDLDuplicateField, IDLFailedToParse, IDLUnknownField
  378, 411, 10_334, 40_413, 40_414, 40_415,
] as const;

export const PASSING_CODES: ReadonlySet<number> = new Set(Object.values(PASSING).flat());
export const LASTING_CODES: ReadonlySet<number> = new Set(LASTING);
