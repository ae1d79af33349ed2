// Whether mongo-connector has left a checkpoint file.
import { statSync } from 'node:fs';

/** Whether there is a file of this name that is not empty; also if it may not be read, so that reading it says why. */
export function isFilledFile(file: string): boolean {
  try {
    return (statSync(file, { throwIfNoEntry: false })?.size ?? 0) > 0;
  } catch (error) {
    // Other names cannot be those of a file: one behind a file, one that is too long.
    return (error as NodeJS.ErrnoException).code === 'EACCES';
  }
}
