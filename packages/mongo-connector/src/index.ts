// A configuration of mongo-connector, the program before this one, as one of Tailwater: its file, its command line, and what became of each key.
export { FOREIGN_OPTIONS } from './command-line.js';
export { type Conversion, convertMongoConnector } from './convert.js';
export { jsonMistakeOf, readMongoConnector } from './document.js';
export { isFilledFile } from './filled-file.js';
export { findJsonMistake } from './json-mistake.js';
export { mongoConnector } from './mongo-connector.js';
export { readConfiguration } from './read-configuration.js';
export type { JsonObject } from './reader.js';
export { describeReference, toYaml, type YamlText } from './to-yaml.js';
