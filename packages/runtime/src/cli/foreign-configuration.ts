// The configuration of another program, which a start takes instead of ours: what its users have goes on to work. This package knows none of them.
import type { ConfigFile } from '../config/config-file.js';
import { kebabName, type Options } from '../config/option.js';

/** `flag`: it takes no value. */
type Takes = 'text' | 'list' | 'integer' | 'flag';

/** An option of the other program's command line. */
export interface ForeignOption {
  /** Without dashes; the long one first. */
  readonly names: readonly [long: string, short?: string];
  readonly takes: Takes;
  /** Whether it is about the target. With {@link ForeignConfiguration.targetOption} such an option is meant also where a command has one of the same name. */
  readonly isOfTarget: boolean;
}

export interface ForeignFlag<Known extends ForeignOption = ForeignOption> {
  readonly option: Known;
  /** The last one that was given; true for a flag. */
  readonly value: string | true;
}

/** The configuration of one start. */
export interface Configuration {
  readonly file: ConfigFile | undefined;
  /** What options of the other program say; it beats the environment, as flags do. */
  readonly commandLine?: ConfigFile;
  /** When it was the other program's: one line that tells what became of it. */
  readonly tell?: (process: 'producer' | 'consumer') => string;
}

export interface ForeignConfiguration {
  readonly options: readonly ForeignOption[];
  /** The long name of the option that names the kind of target. */
  readonly targetOption: string;
  /** The long name of the option that names the file. */
  readonly fileOption: string;
  /** Flags whose values are secrets. */
  readonly secretFlags: readonly string[];
  /**
   * Reads the file, whichever program's it is, and the other program's options.
   *
   * @param path - the file, if there is one
   * @throws TailwaterError for what is wrong in them
   */
  read(path: string | undefined, flags: readonly ForeignFlag[]): Configuration;
}

/** Whether a command has an option, or a letter for one, of this name itself. */
export const isOwnName = (own: Options, name: string): boolean =>
  Object.entries(own).some(([each, { alias }]) => kebabName(each) === name || alias === name);
