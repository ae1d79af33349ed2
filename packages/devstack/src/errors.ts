// What can go wrong while real servers are fetched and started. Each message is a sentence that says what to do.

/** Base of every error that this package throws on purpose. */
export class DevstackError extends Error {
  override name = 'DevstackError';
}

/** Something that this package does not bring along is not installed. */
export class MissingPrerequisiteError extends DevstackError {
  override name = 'MissingPrerequisiteError';
}

/** A downloaded file is not the one that was pinned. */
export class ChecksumError extends DevstackError {
  override name = 'ChecksumError';
}

/** A server ended, or did not answer in time, while it was being started. The message carries the end of its log. */
export class ServerStartError extends DevstackError {
  override name = 'ServerStartError';
}

/** A condition was not met in time. The message says what was seen last. */
export class WaitTimeoutError extends DevstackError {
  override name = 'WaitTimeoutError';
}
