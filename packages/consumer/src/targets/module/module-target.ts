// Stands between the pipeline and a user's own target: what that throws becomes a coded error, and what it answers is checked,
// because an answer that is misread loses changes (promise E).
import { errorCodes, TailwaterError } from '@tailwater/runtime';
import type { Namespace } from '@tailwater/schema';
import type { Change } from '../../changes/change.js';
import { type ChangeResult, TARGET_API_VERSION, type Target } from '../target.js';

const STATUSES: ReadonlySet<unknown> = new Set(['applied', 'superseded', 'rejected']);

export class ModuleTarget implements Target {
  readonly apiVersion = TARGET_API_VERSION;
  readonly kind: string;
  readonly comparesVersions: boolean;
  readonly #target: Target;
  readonly #module: string;

  constructor(target: Target, module: string) {
    this.kind = target.kind;
    this.comparesVersions = target.comparesVersions === true;
    this.#target = target;
    this.#module = module;
  }

  get droppedValues(): number {
    return this.#target.droppedValues ?? 0;
  }

  get droppedFields(): number {
    return this.#target.droppedFields ?? 0;
  }

  get droppedFieldNames(): readonly string[] {
    return this.#target.droppedFieldNames ?? [];
  }

  nameOf(namespace: Namespace): string {
    try {
      return String(this.#target.nameOf(namespace));
    } catch (error) {
      throw this.#failure(error, 'nameOf');
    }
  }

  async connect(signal: AbortSignal): Promise<void> {
    try {
      await this.#target.connect(signal);
    } catch (error) {
      throw signal.aborted ? error : this.#failure(error, 'connect');
    }
  }

  guard(mayApply: () => boolean): void {
    this.#target.guard?.(mayApply);
  }

  async ping(signal: AbortSignal): Promise<void> {
    await this.#target.ping?.(signal);
  }

  async applyBatch(changes: readonly Change[], signal: AbortSignal): Promise<readonly ChangeResult[]> {
    let results: readonly ChangeResult[];
    try {
      results = await this.#target.applyBatch(changes, signal);
    } catch (error) {
      throw signal.aborted ? error : this.#failure(error, 'applyBatch');
    }
    const problem = problemOf(results, changes.length);
    if (problem !== undefined) throw new TailwaterError(errorCodes.MODULE_ANSWERED_WRONGLY, { module: this.#module, problem });
    return results;
  }

  async close(): Promise<void> {
    await this.#target.close();
  }

  /** `retriable: true` on any error means that the same call can succeed later. */
  #failure(error: unknown, method: string): TailwaterError {
    if (error instanceof TailwaterError) return error;
    const reason = error instanceof Error ? error.message : String(error);
    const isRetriable = (error as { retriable?: unknown } | null | undefined)?.retriable === true;
    return new TailwaterError(
      isRetriable ? errorCodes.MODULE_FAILED_FOR_NOW : errorCodes.MODULE_FAILED,
      { module: this.#module, method, reason },
      { cause: error },
    );
  }
}

function problemOf(results: unknown, changes: number): string | undefined {
  if (!Array.isArray(results)) return 'no list of results';
  if (results.length !== changes) return `${results.length} results for ${changes} changes`;
  const odd = results.findIndex((result: { status?: unknown } | null | undefined) => !STATUSES.has(result?.status));
  return odd === -1 ? undefined : `a result without a status at ${odd}`;
}
