// A batch with a change that cannot be put into a request: nothing of it was sent. It goes again in halves, down to that change.
import { refusalFor } from '../changes/refusal.js';

export class UnencodableChangeError extends Error {
  override readonly name = 'UnencodableChangeError';
  readonly code: string;

  /** @throws the cause itself, when it is not the change's */
  constructor(cause: unknown) {
    const { code, reason } = refusalFor(cause);
    super(reason, { cause });
    this.code = code;
  }
}
