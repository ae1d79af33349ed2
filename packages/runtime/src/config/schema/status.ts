// `status:` the HTTP server that tells how a process is.
import { z } from 'zod';
import { configOption, text } from '../option.js';

const group = 'Status';

export const status = {
  host: configOption('statusHost', text().default('127.0.0.1'), { group, describe: 'Address of the status server' }),
  port: configOption('statusPort', z.int().min(0).max(65_535).default(0), {
    group,
    describe: 'Port of the status server; 0 takes a free one',
  }),
  token: configOption('statusToken', text().optional(), {
    group,
    describe: 'Bearer token that /status and /metrics ask for; better given as TAILWATER_STATUS_TOKEN, or file:<path>',
    secret: 'value',
  }),
  metricsNamespaces: configOption('metricsNamespaces', z.int().min(0).max(10_000).default(100), {
    group,
    describe: 'So many namespaces, the busiest, have a label of their own in the metrics; the others share one',
  }),
  tls: {
    cert: configOption('statusTlsCert', text().optional(), {
      group,
      describe: 'PEM file of the status server’s certificate: it speaks HTTPS then',
      placeholder: 'file',
    }),
    key: configOption('statusTlsKey', text().optional(), { group, describe: 'PEM file of its private key', placeholder: 'file' }),
  },
} as const;
