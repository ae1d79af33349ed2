// Runs the `consumer` command.
import { createCli } from '@tailwater/runtime';
import { consumerProgram } from './program.js';

await createCli(consumerProgram).run();
