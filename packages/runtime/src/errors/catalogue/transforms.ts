// TW137x: what becomes of a change before it reaches its target. TW138x: files of GridFS buckets.
import { type ErrorEntry, EXIT_FAILURE, EXIT_USAGE } from '../error-entry.js';

const usage = { retriable: false, exitCode: EXIT_USAGE } as const;

export const transformErrors = {
  TW1370: {
    title: 'Fields to include and to exclude in one namespace',
    message: 'The namespaces of {namespace} have both fields to include and fields to exclude',
    hint: 'Give each namespace one of the two. Fields that are named for every namespace count for it as well.',
    ...usage,
  },
  TW1371: {
    title: 'Bad field path',
    message: '{path} in {option} is no path of a field',
    hint: 'Write a field’s name, dotted where it is nested (customer.address.city), and database.collection: before it to say where it counts.',
    ...usage,
  },
  TW1372: {
    title: 'GridFS bucket renamed',
    message: 'The GridFS bucket {bucket} would be renamed: {target}',
    hint: 'The two collections of a bucket keep their names. Give it no name in --rename, and exclude it from wildcards there.',
    ...usage,
  },
  TW1373: {
    title: 'Transform not loaded',
    message: 'Cannot load the transform {file}: {reason}',
    hint: 'It must be a JavaScript module (.js, .mjs) that this user may read; the path is relative to where the process starts.',
    ...usage,
  },
  TW1374: {
    title: 'Transform without a function',
    message: 'The transform {file} is not usable: {reason}',
    hint: 'Write export default (document, context) => document; it may return null to leave the document out. It must not be async.',
    ...usage,
  },
  TW1375: {
    title: 'Transform failed',
    message: 'The transform {file} failed for the document {key} of {namespace}: {reason}',
    hint: 'Correct the function and start again; the documents that were refused can then be applied again.',
    retriable: false,
    exitCode: EXIT_FAILURE,
  },
  TW1376: {
    title: 'Value that a Solr field would change',
    message: 'The field {field}, of the type {type}, cannot hold a {value} of this document exactly',
    hint: 'Give the field a type that holds all of its values (solr.DoublePointField, solr.StrField), in Solr a new core; then consumer dead-letters retry. Or leave it out with --exclude-fields.',
    retriable: false,
    exitCode: EXIT_FAILURE,
  },
  TW1377: {
    title: 'Change that cannot be written',
    message: 'The change cannot be put into a request: {reason}',
    hint: 'Somebody else has written the record, or this release has a defect; the dead letter has all of it. Please report it if the producer wrote it. An update of the document at the source replaces it.',
    retriable: false,
    exitCode: EXIT_FAILURE,
  },
  TW1378: {
    title: 'Ids that the collection cannot tell apart',
    message: 'The collection {namespace} has a collation, by which ids of text that differ may be equal',
    hint: 'Nothing in it was touched. Create it anew without a collation ({locale: "simple"}), then consumer replay --from beginning; queries and other indexes can state a collation themselves. Or give the namespace another name with --rename.',
    retriable: true,
    exitCode: EXIT_FAILURE,
  },
  TW1380: {
    title: 'File without its content',
    message: 'The file {key} of {namespace} was published without its content, because {reason}; a bucket cannot hold it',
    hint: 'The target keeps what it had of the file. See --gridfs-max-bytes of the producer; a file that lacked chunks is published again when its document is written, or by producer refresh.',
    retriable: false,
    exitCode: EXIT_FAILURE,
  },
  TW1381: {
    title: 'No name for the files of a bucket',
    message: 'Files of a GridFS bucket cannot go to {namespace}: the name does not end in .files',
    hint: 'Leave the bucket its name, or rename its files to db.bucket.files.',
    retriable: false,
    exitCode: EXIT_FAILURE,
  },
  TW1382: {
    title: 'Solr reads no files',
    message: 'The core {core} has no /update/extract: the metadata of GridFS files are written, and the texts are not',
    hint: 'Install Solr’s extraction module, configure solr.extraction.ExtractingRequestHandler as /update/extract, start the consumer again, and replay the topic.',
    retriable: false,
    exitCode: EXIT_FAILURE,
  },
  TW1383: {
    title: 'Text of a file not read',
    message: 'The core {core} cannot read the file {key}, whose metadata are written without its text: {reason}',
    hint: 'Solr’s log says more. Further files are only counted, as fields that were left out.',
    retriable: false,
    exitCode: EXIT_FAILURE,
  },
} as const satisfies Record<string, ErrorEntry>;
