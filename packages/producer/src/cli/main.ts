// Runs the `producer` command.
import { createCli } from '@tailwater/runtime';
import { producerProgram } from './program.js';

await createCli(producerProgram).run();
