// npm run docs: builds the documentation's site into site/.
import { join } from 'node:path';
import { buildSite } from './build-site.js';
import { PROJECT } from './markdown.js';

const folder = join(PROJECT, 'site');
const pages = await buildSite(folder);
process.stdout.write(`${pages} pages: open ${join(folder, 'index.html')}\n`);
