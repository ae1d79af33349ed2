// What the normalize stage has seen, as plain numbers: the hot path adds to them, and metrics read them.

export class NormalizeCounters {
  /** Inserts, updates and deletes, of any namespace. */
  events = 0;
  /** Events of namespaces that are not included, or that the balancer moved. */
  filtered = 0;
  noops = 0;
  commands = 0;
  readonly unknownByKind = new Map<string, number>();

  unknown(kind: string): void {
    this.unknownByKind.set(kind, (this.unknownByKind.get(kind) ?? 0) + 1);
  }
}
