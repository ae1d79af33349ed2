import { readFileSync } from 'node:fs';
import { configJsonSchema, configOptions, keyOf, parseConfigFile, renderConfigReference } from '@tailwater/runtime';
import { describe, expect, it } from 'vitest';

describe('docs/configuration.md', () => {
  it('is what the schema says', async () => {
    await expect(renderConfigReference()).toMatchFileSnapshot('../../../../docs/configuration.md');
  });

  it('has a row for each option of the file', () => {
    const page = renderConfigReference();
    for (const flag of Object.keys(configOptions)) expect(page).toContain(`| \`${keyOf(flag)}\` |`);
  });

  it('shows a file that is right', () => {
    const [, example = ''] =
      /```yaml\n(.*?)```/s.exec(readFileSync(new URL('../../../../docs/configuration.md', import.meta.url), 'utf8')) ?? [];
    const { targets } = parseConfigFile(example, 'example.yaml');
    expect(targets).toEqual(['search', 'copy']);
  });
});

it('the JSON Schema is what the schema says', async () => {
  const file = '../../../../packages/runtime/schema/tailwater.schema.json';
  await expect(`${JSON.stringify(configJsonSchema(), null, 2)}\n`).toMatchFileSnapshot(file);
});
