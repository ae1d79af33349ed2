// npm run stack: real servers on this machine, for trying things out.
import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';
import { DevstackError } from '../errors.js';
import { fetchArtifacts } from './fetch.js';
import { SERVER_NAMES, SERVERS, type ServerName } from './servers.js';
import { up } from './up.js';

const DEFAULT: ServerName[] = ['mongo', 'kafka', 'es'];
const KNOWN = SERVER_NAMES.map((name) => `  ${name.padEnd(10)} ${SERVERS[name].title}`).join('\n');

const cli = yargs(hideBin(process.argv))
  .scriptName('npm run stack --')
  .usage(`$0 <command>\n\nReal servers from packages, without docker, each on 127.0.0.1:\n\n${KNOWN}`)
  .command(
    'up [servers..]',
    'start servers, print their URLs as JSON, and stop them at Ctrl-C',
    (command) =>
      command
        .positional('servers', { describe: 'which ones', choices: SERVER_NAMES, array: true, default: DEFAULT })
        .option('ports', { describe: 'fixed ports, as name=port,…; free ones otherwise', type: 'string', default: '' })
        .example('$0 up mongo kafka es solr', 'everything, on free ports')
        .example('$0 up mongo kafka es --ports mongo=27017,kafka=9092,es=9200', 'where the examples of the README expect them')
        .example('npm run -s stack -- up mongo3 | jq -r .mongo3', 'nothing but JSON on stdout'),
    ({ servers, ports }) => up(servers, ports),
  )
  .command(
    'fetch [servers..]',
    'only fill the cache, so that later starts need no network',
    (command) =>
      command
        .positional('servers', { describe: 'which ones', choices: SERVER_NAMES, array: true, default: [] as ServerName[] })
        .example('$0 fetch', 'all that run on this machine')
        .example('TAILWATER_CACHE=/srv/cache $0 fetch es', 'into another folder than ~/.cache/tailwater'),
    ({ servers }) => fetchArtifacts(servers),
  )
  .demandCommand(1, 'Say what to do: up or fetch')
  .recommendCommands()
  .strict()
  .wrap(Math.min(120, process.stdout.columns ?? 120))
  .epilogue('Downloads are kept in ~/.cache/tailwater; TAILWATER_CACHE names another folder. MONGOD_BINARY names a mongod of your own.')
  .version(false)
  .fail((message, error) => {
    const reason = error instanceof DevstackError ? error.message : (error?.stack ?? `${message} (--help says more)`);
    process.stderr.write(`stack: ${reason}\n`);
    process.exit(1);
  });

await cli.parseAsync();
