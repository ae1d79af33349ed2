import { errorCatalogue, renderErrorReference } from '@tailwater/runtime';
import { expect, it } from 'vitest';

it('docs/errors.md is what the catalogue says', async () => {
  await expect(renderErrorReference(errorCatalogue)).toMatchFileSnapshot('../../../../docs/errors.md');
});

it('every code has its place on the page', () => {
  const page = renderErrorReference(errorCatalogue);
  for (const code of Object.keys(errorCatalogue)) expect(page).toContain(`### ${code} `);
});
