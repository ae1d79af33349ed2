// The file as a JSON Schema, for editors: https://json-schema.org/draft/2020-12/schema
import type { ConfigOption } from './option.js';
import { shapeOf } from './option-value.js';
import { isConfigOption, type Section, sections, sectionTitles, targetSections } from './schema/configuration.js';
import { TARGET_NAME } from './schema/targets.js';

type Json = Readonly<Record<string, unknown>>;

/** A text with a variable may stand for any value. */
const VARIABLE = { type: 'string', pattern: '\\$\\{[A-Za-z_][A-Za-z0-9_]*\\}' } as const;

/** The schema, which a test holds equal to `schema/tailwater.schema.json`. */
export function configJsonSchema(): Json {
  const top = Object.fromEntries(Object.entries(sections).map(([name, section]) => [name, titled(name, sectionSchema(section))]));
  const types = Object.entries(targetSections).map(([type, section]) => targetSchema(type, section));
  const targets = {
    type: 'object',
    description: sectionTitles['targets'],
    propertyNames: { pattern: TARGET_NAME.source },
    additionalProperties: { anyOf: types },
  };
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Configuration of Tailwater',
    type: 'object',
    additionalProperties: false,
    properties: { $schema: { type: 'string' }, ...top, targets },
  };
}

const titled = (name: string, schema: Json): Json => ({ description: sectionTitles[name], ...schema });

function sectionSchema(section: Section): Json {
  const properties = Object.entries(section).map(([name, node]) => [name, isConfigOption(node) ? leafSchema(node) : sectionSchema(node)]);
  // Nothing may stand for a section that is empty.
  return { type: ['object', 'null'], additionalProperties: false, properties: Object.fromEntries(properties) };
}

function leafSchema(configOption: ConfigOption): Json {
  const { $schema: _, default: byDefault, ...shape } = shapeOf(configOption) as unknown as Record<string, unknown>;
  const about = { description: configOption.describe, ...(byDefault === undefined ? {} : { default: byDefault }) };
  if (shape['type'] === 'string' && shape['enum'] === undefined && shape['pattern'] === undefined) return { ...about, ...shape };
  // A list of one may be written as one text.
  return { ...about, anyOf: [shape, ...(shape['type'] === 'array' ? [{ type: 'string' }] : [VARIABLE])] };
}

function targetSchema(type: string, section: Section): Json {
  const { properties, ...rest } = sectionSchema(section);
  const own = type === 'module' ? { type: 'string', not: { enum: ['es', 'solr', 'mongo'] } } : { const: type };
  const typed = { ...(properties as Json), type: { description: 'What to write to', ...own } };
  return { ...rest, type: 'object', required: ['type'], properties: typed };
}
