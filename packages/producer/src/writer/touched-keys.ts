// Which documents the tail has touched while chunks of a snapshot are being read: those rows of a chunk may be older than
// what the topic holds by now, and are dropped (promise B). https://arxiv.org/abs/2010.12597 (DBLog)
import { Position } from '@tailwater/schema';
import type { ChangeBatch, TrackedNamespace } from '../changes/change-batch.js';

/** The keys of one namespace that passed by since the window was opened. */
export interface Window {
  readonly namespace: TrackedNamespace;
  readonly touched: ReadonlySet<string>;
  /** Keys of positions up to this one went by before the window was opened: a chunk must be no older. */
  readonly after: Position;
  /** The collection was dropped or renamed while the window was open: what was read is no longer the namespace's. */
  readonly isVoid: boolean;
}

interface OpenWindow extends Window {
  readonly touched: Set<string>;
  isVoid: boolean;
}

export class TouchedKeys {
  #last = new Position(0, 0);
  readonly #windows = new Map<TrackedNamespace, Set<OpenWindow>>();

  open(namespace: TrackedNamespace): Window {
    const window: OpenWindow = { namespace, touched: new Set(), after: this.#last, isVoid: false };
    const open = this.#windows.get(namespace) ?? new Set();
    this.#windows.set(namespace, open.add(window));
    return window;
  }

  close(window: Window): void {
    const open = this.#windows.get(window.namespace);
    for (const candidate of open ?? []) if (candidate === window) open?.delete(candidate);
    if (open?.size === 0) this.#windows.delete(window.namespace);
  }

  /** Voids the windows of a namespace, because another collection has taken its name, or none has. */
  invalidate(namespace: TrackedNamespace): void {
    for (const window of this.#windows.get(namespace) ?? []) window.isVoid = true;
  }

  /** The tail has come to a command at the position: what is read from now on is no older, or it would be of the collection before. */
  reach(position: Position): void {
    if (position.compare(this.#last) > 0) this.#last = position;
  }

  /** Records the keys of a batch of the tail, before any of it is published. */
  touch(batch: ChangeBatch): void {
    const last = batch.length - 1;
    if (last >= 0) this.#last = new Position(batch.t[last] as number, batch.i[last] as number);
    this.touchRows(batch);
  }

  /** Records the keys of rows that are published beside the tail. */
  touchRows(batch: ChangeBatch): void {
    if (this.#windows.size === 0) return;
    for (let row = 0; row < batch.length; row++) {
      const open = this.#windows.get(batch.namespace[row] as TrackedNamespace);
      if (open !== undefined) for (const window of open) window.touched.add(batch.key[row] as string);
    }
  }
}
