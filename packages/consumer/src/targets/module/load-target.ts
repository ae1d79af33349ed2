// A user's own target: a module that `--target ./my-target.js` names, whose `createTarget(options)` returns a Target.
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { errorCodes, TailwaterError } from '@tailwater/runtime';
import { type CreateTarget, TARGET_API_VERSION, type Target, type TargetOptions } from '../target.js';
import { ModuleTarget } from './module-target.js';

const METHODS = ['nameOf', 'connect', 'applyBatch', 'close'] as const satisfies readonly (keyof Target)[];

/**
 * @throws TailwaterError TW1330 when the module cannot be loaded, TW1331 when it has no `createTarget` or that throws, TW1332 when
 * what it returns lacks something, TW1333 when it is of another version of the interface
 */
export async function loadTarget(module: string, options: TargetOptions): Promise<Target> {
  const create = await importTarget(module);
  let target: unknown;
  try {
    target = await create(options);
  } catch (cause) {
    throw cause instanceof TailwaterError
      ? cause
      : new TailwaterError(errorCodes.TARGET_MODULE_FAILED, { module, reason: textOf(cause) }, { cause });
  }
  check(target, module);
  return new ModuleTarget(target, module);
}

async function importTarget(module: string): Promise<CreateTarget> {
  let exports: Record<string, unknown>;
  try {
    exports = (await import(module.startsWith('file:') ? module : pathToFileURL(resolve(module)).href)) as Record<string, unknown>;
  } catch (cause) {
    throw new TailwaterError(errorCodes.TARGET_MODULE_NOT_LOADED, { module, reason: textOf(cause) }, { cause });
  }
  const create = exports['createTarget'] ?? exports['default'];
  if (typeof create === 'function') return create as CreateTarget;
  const found = Object.keys(exports).join(', ');
  const reason = `it exports ${found === '' ? 'nothing' : found}, but neither createTarget nor a default function`;
  throw new TailwaterError(errorCodes.TARGET_MODULE_FAILED, { module, reason });
}

function check(target: unknown, module: string): asserts target is Target {
  const members = (typeof target === 'object' && target !== null ? target : {}) as Partial<Record<string, unknown>>;
  const missing: string[] = METHODS.filter((name) => typeof members[name] !== 'function');
  if (typeof members['kind'] !== 'string' || members['kind'] === '') missing.unshift('kind');
  if (missing.length > 0) throw new TailwaterError(errorCodes.TARGET_INCOMPLETE, { module, missing: missing.join(', ') });
  const actual = members['apiVersion'];
  if (actual !== TARGET_API_VERSION)
    throw new TailwaterError(errorCodes.TARGET_API_MISMATCH, { module, actual: String(actual ?? 'none'), expected: TARGET_API_VERSION });
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
