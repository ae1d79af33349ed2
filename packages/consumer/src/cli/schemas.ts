// The schema registry that a command is told of, if it is.
import { type Logger, type OptionValues, type registryOptions, schemaLookup, schemaRegistryOf } from '@tailwater/runtime';
import { SchemaIds } from '@tailwater/schema';

/** Schemas by their ids, and the registry that they are looked up in. */
export interface OpenSchemas extends AsyncDisposable {
  readonly schemas: SchemaIds;
  /** The registry's address, without passwords. */
  readonly address: string | undefined;
}

/** @throws TailwaterError as `schemaRegistryOf`, and TW1560, TW1561, TW1563 when the registry does not answer */
export async function openSchemas(given: OptionValues<typeof registryOptions>, logger: Logger, signal: AbortSignal): Promise<OpenSchemas> {
  const registry = schemaRegistryOf(given);
  await registry?.check(signal);
  return {
    schemas: new SchemaIds(schemaLookup(registry, logger)),
    address: registry?.address,
    [Symbol.asyncDispose]: async () => registry?.close(),
  };
}
