// One description per option, from which come its flag, its environment variable, its key in the file, its help, and its type.

interface Described {
  readonly describe: string;
  /** The heading it stands under in --help: `Kafka:`. */
  readonly group: string;
  /** A single letter. */
  readonly alias?: string;
  /** Without a value the command does not start. */
  readonly required?: boolean;
  /** Its value is never shown. */
  readonly secret?: boolean;
  /** The environment variable, when it is not `TAILWATER_` and the name in capitals. */
  readonly env?: string;
}

interface StringOption extends Described {
  readonly type: 'string';
  readonly default?: string;
  readonly choices?: readonly string[];
}

interface NumberOption extends Described {
  readonly type: 'number';
  readonly default?: number;
  /** Whether 0.5 is a value. Default: whole numbers only. */
  readonly fractional?: boolean;
  readonly min?: number;
  readonly max?: number;
}

interface BooleanOption extends Described {
  readonly type: 'boolean';
  /** Default false. */
  readonly default?: boolean;
}

/** Several texts: the flag repeated or its values separated by commas; a list in the file, where a text may hold a comma. */
interface ListOption extends Described {
  readonly type: 'list';
  /** Default empty. */
  readonly default?: readonly string[];
  /** A value may hold commas, which then separate nothing: several are given by repeating the flag. */
  readonly hasCommas?: boolean;
  readonly choices?: readonly string[];
}

/** Texts by name: `--rename shop.a=search.b`, repeated or separated by commas; a mapping in the file. */
interface MapOption extends Described {
  readonly type: 'map';
  /** Default empty. */
  readonly default?: Readonly<Record<string, string>>;
  /** As for a list. */
  readonly hasCommas?: boolean;
}

export type OptionSpec = StringOption | NumberOption | BooleanOption | ListOption | MapOption;

/** Options by their name in camelCase: `statusPort` is `--status-port`, `TAILWATER_STATUS_PORT`, and `statusPort` in the file. */
export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

type Choice<Spec> = Spec extends { readonly choices: readonly (infer Text extends string)[] } ? Text : string;

type ValueOf<Spec extends OptionSpec> = Spec extends { readonly type: 'number' }
  ? number
  : Spec extends { readonly type: 'boolean' }
    ? boolean
    : Spec extends { readonly type: 'list' }
      ? Choice<Spec>[]
      : Spec extends { readonly type: 'map' }
        ? Record<string, string>
        : Choice<Spec>;

/** Whether the option has a value even if nobody gave one. */
type AlwaysThere = { readonly required: true } | { readonly default: unknown } | { readonly type: 'boolean' | 'list' | 'map' };

/** The values of a command's options. What is neither required nor has a default may be undefined. */
export type OptionValues<Specs extends OptionSpecs> = {
  readonly [Name in keyof Specs]: Specs[Name] extends AlwaysThere ? ValueOf<Specs[Name]> : ValueOf<Specs[Name]> | undefined;
};

/** Keeps the literal types that {@link OptionValues} reads. */
export function defineOptions<const Specs extends OptionSpecs>(specs: Specs): Specs {
  return specs;
}

/** `statusPort` as `status-port` */
export const kebabName = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** `statusPort` as `--status-port` */
export const flagName = (name: string): string => `--${kebabName(name)}`;

/** `statusPort` as `TAILWATER_STATUS_PORT`, or what the option says */
export const variableName = (name: string, spec: OptionSpec): string =>
  spec.env ?? `TAILWATER_${kebabName(name).replaceAll('-', '_').toUpperCase()}`;
