// One description per option, from which come its flag, its environment variable, its key in the file, its help, and its type.
import { z } from 'zod';

export interface OptionMeta {
  /** The heading it stands under in --help: `Kafka`. */
  readonly group: string;
  readonly describe: string;
  /** A single letter. */
  readonly alias?: string;
  /** Its value is never shown; of a URI, its password. `file:/path` stands for what the file holds. */
  readonly secret?: 'value' | 'uri';
  /** What the help and the reference show in place of a value: `host:port`. */
  readonly placeholder?: string;
  /** A value of a list or map may hold commas, which then separate nothing: several are given by repeating the flag. */
  readonly hasCommas?: true;
  /** The names of a map are namespaces, in which a = may stand: the first one behind a dot ends the name, and `\=` is one of the name. */
  readonly namesNamespaces?: true;
  /** What it takes, for an error, where its type does not say enough: `1 to 50 small letters`. */
  readonly expected?: string;
}

/** An option of a command. Its schema has a default, or is optional, or the option is required. */
export interface Option<Schema extends z.ZodType = z.ZodType> extends OptionMeta {
  readonly schema: Schema;
}

/** An option that the configuration file has a key for; where, says the tree in `schema/`. */
export interface ConfigOption<Flag extends string = string, Schema extends z.ZodType = z.ZodType> extends Option<Schema> {
  /** In camelCase: `statusPort` is `--status-port` and `TAILWATER_STATUS_PORT`. */
  readonly flag: Flag;
}

/** Options by the name of their flag, in camelCase. */
export type Options = Readonly<Record<string, Option>>;

/** The values of options. */
export type OptionValues<Given extends Options> = { readonly [Name in keyof Given]: z.output<Given[Name]['schema']> };

/** An option that only the command line and the environment have: `--json`. */
export const option = <Schema extends z.ZodType>(schema: Schema, meta: OptionMeta): Option<Schema> => ({ ...meta, schema });

export const configOption = <const Flag extends string, Schema extends z.ZodType>(
  flag: Flag,
  schema: Schema,
  meta: OptionMeta,
): ConfigOption<Flag, Schema> => ({ ...meta, flag, schema });

/** A text that is not empty. */
export const text = () => z.string().min(1);
/** Several texts: the flag repeated or its values separated by commas; a list in the file, where a text may hold a comma. */
export const list = () => z.array(text());
/** Texts by name: `--rename shop.a=search.b`, repeated or separated by commas; a mapping in the file. */
export const map = () => z.record(text(), text());
/** A whole number within bounds. */
export const wholeNumber = ({ min, max }: { readonly min: number; readonly max: number }) => z.int().min(min).max(max);
/** True or false; false when not given. */
export const toggle = () => z.boolean().default(false);

/** `statusPort` as `status-port` */
export const kebabName = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** `statusPort` as `--status-port` */
export const flagName = (name: string): string => `--${kebabName(name)}`;

/** `statusPort` as `TAILWATER_STATUS_PORT` */
export const variableName = (name: string): string => `TAILWATER_${kebabName(name).replaceAll('-', '_').toUpperCase()}`;
