import { compileFieldRules, type FieldRulesOptions } from '@tailwater/runtime';
import { describe, expect, it } from 'vitest';
import { fieldEntry } from '#runtime/namespaces/field-rules.js';

const fieldsOf = (options: FieldRulesOptions, name: string) => {
  const dot = name.indexOf('.');
  return compileFieldRules(options)(name.slice(0, dot), name.slice(dot + 1));
};
const include = (...paths: string[]) => ({ mode: 'include', paths });
const exclude = (...paths: string[]) => ({ mode: 'exclude', paths });

describe('fieldEntry', () => {
  it.each<[string | undefined, string, string, object]>([
    ['a.b:c', 'x:y', 'a.b:c', exclude('x:y')],
    ['a.b:c', '*', 'a.b:c', exclude('g')],
    ['a.b', 'x.y:z', 'a.b', exclude('x.y:z', 'g')],
    [undefined, 'meta.dc:title', 'a.b', exclude('meta.dc:title', 'g')],
    [undefined, 'dc:meta.title', 'a.b', exclude('dc:meta.title', 'g')],
    [undefined, 'x.y', 'a.b', exclude('x.y', 'g')],
  ])('of %s and %s is read as it was meant', (pattern, path, name, expected) => {
    const selection = fieldsOf({ excludeFields: [fieldEntry(pattern, path), 'g'] }, name);
    expect(new Set(selection?.paths)).toEqual(new Set([...(expected as { paths: string[] }).paths, 'g']));
  });
});

describe('compileFieldRules', () => {
  it.each<[FieldRulesOptions, string, object | undefined]>([
    [{}, 'a.b', undefined],
    [{ includeFields: ['x', 'y.z'] }, 'a.b', include('x', 'y.z')],
    [{ excludeFields: ['x'] }, 'a.b', exclude('x')],
    // Of one namespace, or of some.
    [{ excludeFields: ['a.b:x'] }, 'a.b', exclude('x')],
    [{ excludeFields: ['a.b:x'] }, 'a.c', undefined],
    [{ excludeFields: ['a.*:x'] }, 'a.c.d', exclude('x')],
    [{ includeFields: ['a.b:x'], excludeFields: ['a.c:y'] }, 'a.b', include('x')],
    [{ includeFields: ['a.b:x'], excludeFields: ['a.c:y'] }, 'a.c', exclude('y')],
    // Global and per-namespace fields unite.
    [{ excludeFields: ['g', 'a.b:x', 'a.b:g'] }, 'a.b', exclude('g', 'x')],
    [{ excludeFields: ['g', 'a.b:x'] }, 'a.c', exclude('g')],
    // A plain name beats a wildcard, and wildcards count in order of declaration.
    [{ excludeFields: ['a.*:w', 'a.b:x'] }, 'a.b', exclude('x')],
    [{ excludeFields: ['a.*:first', 'a.b*:second'] }, 'a.bc', exclude('first')],
    // A namespace that is named for all of its fields is no business of later wildcards.
    [{ includeFields: ['a.b:*'], excludeFields: ['g', 'a.*:x'] }, 'a.b', exclude('g')],
    [{ includeFields: ['a.b*:*'], excludeFields: ['a.*:x'] }, 'a.bc', undefined],
    // A colon inside a field's name.
    [{ excludeFields: ['x:y'] }, 'a.b', exclude('x:y')],
    [{ excludeFields: ['a.b:x:y'] }, 'a.b', exclude('x:y')],
    [{ excludeFields: ['meta.dc\\:title'] }, 'a.b', exclude('meta.dc:title')],
    // A colon inside a collection's name.
    [{ excludeFields: ['a.b\\:c:x'] }, 'a.b:c', exclude('x')],
    [{ excludeFields: ['a.b\\:c:x'] }, 'a.b', undefined],
    [{ excludeFields: ['a.b\\:*:x.y:z'] }, 'a.b:c', exclude('x.y:z')],
  ])('%j: of %s %j', (options, name, expected) => {
    expect(fieldsOf(options, name)).toEqual(expected);
  });

  it.each<[string, FieldRulesOptions]>([
    ['TW1015', { includeFields: ['x'], excludeFields: ['y'] }],
    ['TW1370', { includeFields: ['a.b:x'], excludeFields: ['a.b:y'] }],
    ['TW1370', { includeFields: ['x'], excludeFields: ['a.b:y'] }],
    ['TW1371', { includeFields: ['a..b'] }],
    ['TW1371', { excludeFields: ['a.b:'] }],
    ['TW1371', { excludeFields: ['.x'] }],
    ['TW1010', { excludeFields: ['.b:x'] }],
  ])('%s: %j', (code, options) => {
    expect(() => compileFieldRules(options)).toThrow(expect.objectContaining({ code }));
  });
});
