// Buffers for requests with large documents. They lie outside of the heap, so that the collector sees little of them: it lets
// several times 16 MB of used ones pile up before it runs. Where the process may ask for a collection, it does after some of them.

/** Used buffers that may wait: two documents as large as MongoDB takes. */
const COLLECT_AFTER_BYTES = 32 * 1024 * 1024;

let waiting = 0;

/** A buffer of its own, for one request. Collects what earlier ones have left, where node runs with `--expose-gc`. */
export function allocateLarge(bytes: number): Buffer {
  waiting += bytes;
  if (waiting > COLLECT_AFTER_BYTES) {
    waiting = bytes;
    globalThis.gc?.();
  }
  return Buffer.allocUnsafeSlow(bytes);
}
