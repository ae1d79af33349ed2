// The lines of JSON between a program and the supervisor of its servers (bin/supervisor.js).

/** A server to run: the supervisor is its parent. */
export interface ProcessSpec {
  readonly command: string;
  readonly args: readonly string[];
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Where stdout and stderr are appended. */
  readonly logFile: string;
}

export type SupervisorRequest =
  | { readonly id: number; readonly op: 'spawn'; readonly spec: ProcessSpec }
  | { readonly id: number; readonly op: 'signal'; readonly pid: number; readonly signal: NodeJS.Signals };

export type SupervisorMessage =
  /** The first line: the directory that the supervisor made, and removes when it ends. */
  | { readonly event: 'ready'; readonly directory: string }
  | { readonly event: 'done'; readonly id: number; readonly pid: number }
  | { readonly event: 'failed'; readonly id: number; readonly message: string }
  | { readonly event: 'exited'; readonly pid: number; readonly code: number | null; readonly signal: NodeJS.Signals | null };
