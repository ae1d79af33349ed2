// The namespaces of a configuration, in either of its forms.

export interface NamespaceEntry {
  readonly rename?: string | undefined;
  readonly includeFields?: readonly string[];
  readonly excludeFields?: readonly string[];
  readonly gridfs?: boolean;
}

export interface Namespaces {
  /** In order of declaration. */
  readonly included: ReadonlyMap<string, NamespaceEntry>;
  readonly excluded: readonly string[];
}
