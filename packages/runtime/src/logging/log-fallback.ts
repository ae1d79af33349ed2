// Where log lines go while the place that they are meant for does not take them: stderr.
import type { TailwaterError } from '../errors/tailwater-error.js';

export interface LogFallback {
  /** One finished line. */
  write(line: string): void;
  /** Said on stderr, once until it has recovered. */
  failed(error: TailwaterError): void;
  recovered(message: string): void;
}
