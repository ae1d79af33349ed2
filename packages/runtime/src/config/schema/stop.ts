// `stop:` how a process ends.
import { z } from 'zod';
import { configOption } from '../option.js';

export const stop = {
  timeout: configOption('shutdownTimeout', z.int().min(1).max(3600).default(20), {
    group: 'Stop',
    describe:
      'Seconds that a process takes at most to finish what is under way, once it is told to stop; with work left it ends with exit code 75',
  }),
} as const;
