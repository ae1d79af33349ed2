// The commands of a batch: per namespace one `update` and one `delete`, each with the statements of its changes, and before them,
// for sharded collections, a `delete` of what an earlier shard key left behind.
import { BsonCursor, formatNamespace, type Namespace } from '@tailwater/schema';
import type { Change } from '../../changes/change.js';
import { type Refusal, refusalFor } from '../../changes/refusal.js';
import { SpareBuffers } from '../spare-buffers.js';
import type { ChangeResult } from '../target.js';
import { keyToId } from './key-to-id.js';
import type { MongoSettings } from './options.js';
import { type Guard, type ShardField, Statements } from './statements.js';

/** https://www.mongodb.com/docs/manual/reference/limits/: a message holds 48 MB and 100,000 statements. */
export const MAX_COMMAND_BYTES = 44_000_000;
export const MAX_COMMAND_STATEMENTS = 100_000;

export const FIELDS = { update: 'updates', delete: 'deletes', insert: 'documents' } as const;

/** Statements of one command, and the place in the batch of the change behind each. */
export interface Command {
  readonly namespace: Namespace;
  readonly name: keyof typeof FIELDS;
  readonly statements: Statements;
  readonly places: number[];
}

type Purpose = 'purge' | 'update' | 'delete';

export class Commands {
  readonly #spare = new SpareBuffers(() => new Statements());
  readonly #shardKeys: ReadonlyMap<string, readonly ShardField[]>;
  readonly #versionField: string | undefined;
  /** The field's name as BSON ends it. */
  readonly #field: Buffer | undefined;

  constructor({ shardKeys = new Map<string, string[]>(), versionField }: MongoSettings) {
    this.#shardKeys = new Map([...shardKeys].map(([name, paths]) => [name, paths.map(shardField)]));
    this.#versionField = versionField;
    if (versionField !== undefined) this.#field = Buffer.from(`${versionField}\0`);
  }

  /** The commands in the order in which they must be sent; `refuse` hears of changes that none can carry. */
  of(changes: readonly Change[], refuse: (place: number, result: ChangeResult) => void): Command[] {
    const open = new Map<Namespace, Partial<Record<Purpose, Command>>>();
    const purges: Command[] = [];
    const writes: Command[] = [];
    const commandFor = (change: Change, purpose: Purpose): Command => {
      const { namespace } = change;
      const ofNamespace = open.get(namespace) ?? {};
      open.set(namespace, ofNamespace);
      const current = ofNamespace[purpose];
      if (current !== undefined && !isFull(current, change)) return current;
      const name = purpose === 'update' ? 'update' : 'delete';
      const command = this.empty(namespace, name);
      ofNamespace[purpose] = command;
      (purpose === 'purge' ? purges : writes).push(command);
      return command;
    };
    for (const [place, change] of changes.entries()) {
      const purpose = change.kind === 'delete' ? 'delete' : 'update';
      const shardKey = this.#shardKeys.size === 0 ? undefined : this.#shardKeys.get(formatNamespace(change.namespace));
      const command = commandFor(change, purpose);
      const purge = shardKey === undefined || change.kind === 'delete' ? undefined : commandFor(change, 'purge');
      const [mark, purgeMark] = [command.statements.mark, purge?.statements.mark];
      try {
        const refusal = this.#write(change, command, purge, shardKey);
        if (refusal === undefined) {
          command.places.push(place);
          purge?.places.push(place);
          continue;
        }
        refuse(place, { status: 'rejected', ...refusal, retriable: false });
      } catch (error) {
        refuse(place, { status: 'rejected', ...refusalFor(error), retriable: false });
      }
      command.statements.backTo(mark);
      if (purgeMark !== undefined) purge?.statements.backTo(purgeMark);
    }
    return [...purges, ...writes].filter(({ statements }) => statements.count > 0);
  }

  /** Puts a change into its commands. What it says, or throws, against that: then nothing of what was put there counts. */
  #write(change: Change, command: Command, purge: Command | undefined, shardKey: readonly ShardField[] | undefined): Refusal | undefined {
    const guard = this.guardOf(change);
    if (change.kind === 'delete') {
      command.statements.delete(keyToId(change.key), guard);
      return undefined;
    }
    if (guard !== undefined && hasField(change.document, guard))
      return { code: 'version-field', reason: `the document has a field ${this.#versionField} of its own` };
    command.statements.upsert(change.document, shardKey, guard);
    if (shardKey !== undefined) purge?.statements.purge(change.document, shardKey, guard);
    return undefined;
  }

  /** An empty command, for statements of the caller's. */
  empty(namespace: Namespace, name: keyof typeof FIELDS): Command {
    const command: Command = { namespace, name, statements: this.#spare.take(), places: [] };
    command.statements.begin(FIELDS[name]);
    return command;
  }

  /** What keeps a change from overwriting a newer one, where versions are kept. */
  guardOf({ position }: Change): Guard | undefined {
    return this.#field && { field: this.#field, position };
  }

  /** Takes back the memory of a command that was answered. */
  done({ statements }: Command): void {
    this.#spare.giveBack(statements);
  }
}

const cursor = new BsonCursor();

/** Whether the document has a field of the name that is to hold its version. */
function hasField(document: Buffer, { field }: Guard): boolean {
  const name = field.subarray(0, -1);
  cursor.enter(document, 0);
  while (cursor.next()) if (cursor.isNamed(name)) return true;
  return false;
}

const shardField = (path: string): ShardField => ({
  path: path.split('.').map((piece) => Buffer.from(piece)),
  name: Buffer.from(`${path}\0`),
});

function isFull({ statements }: Command, next: Change): boolean {
  return (
    statements.count >= MAX_COMMAND_STATEMENTS || (statements.count > 0 && statements.length + next.document.length > MAX_COMMAND_BYTES)
  );
}
