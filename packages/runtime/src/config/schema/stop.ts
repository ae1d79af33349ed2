// `stop:` how a process ends.
import { z } from 'zod';
import { configOption } from '../option.js';

export const stop = {
  timeout: configOption('shutdownTimeout', z.int().min(1).max(3600).default(20), {
    group: 'Stop',
    describe: 'Seconds to finish work in progress after a stop signal, at most; if work is left, the exit code is 75',
  }),
} as const;
