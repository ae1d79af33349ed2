// Connections that ended under a request. The MongoDB driver lets some of these errors of Node through as they are.

const CODES = new Set(['EPIPE', 'ECONNRESET', 'ECONNABORTED', 'ETIMEDOUT', 'ERR_STREAM_DESTROYED', 'ERR_STREAM_WRITE_AFTER_END']);

/** Whether it is Node's own error for a connection that ended, by its code: https://nodejs.org/api/errors.html */
export const isConnectionEnd = (error: unknown): boolean => error instanceof Error && 'code' in error && CODES.has(String(error.code));
