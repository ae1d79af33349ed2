// @ts-check
// The parent of one server (or of the members of one replica set) and the owner of its data directory. It holds a pipe to the
// program that asked for the servers; when that program ends, however it ends, the pipe does too, and the supervisor
// kills its children by pid, removes the directory and exits. Requests and answers are those of src/supervision/protocol.ts.
//
// Plain JavaScript, because it also runs where the sources run uncompiled.
//
//     node supervisor.js NAME       makes $TMPDIR/tailwater-NAME-XXXXXX
import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** @type {Map<number, import('node:child_process').ChildProcess>} */
const children = new Map();
const directory = mkdtempSync(join(tmpdir(), `tailwater-${process.argv[2] ?? 'server'}-`));
let ending = false;

/** @param {import('../src/supervision/protocol.js').SupervisorMessage} message */
function send(message) {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

/** @param {number} id @param {import('../src/supervision/protocol.js').ProcessSpec} spec */
function start(id, spec) {
  const log = openSync(spec.logFile, 'a');
  const child = spawn(spec.command, spec.args, { cwd: directory, env: { ...process.env, ...spec.env }, stdio: ['ignore', log, log] });
  closeSync(log);
  child.once('error', (error) => {
    if (child.pid === undefined) send({ event: 'failed', id, message: error.message });
  });
  const { pid } = child;
  if (pid === undefined) return;
  children.set(pid, child);
  child.once('exit', (code, signal) => {
    children.delete(pid);
    send({ event: 'exited', pid, code, signal });
    if (ending && children.size === 0) finish();
  });
  send({ event: 'done', id, pid });
}

/** @param {string} line */
function handle(line) {
  if (ending) return;
  /** @type {import('../src/supervision/protocol.js').SupervisorRequest} */
  const request = JSON.parse(line);
  try {
    if (request.op === 'spawn') return start(request.id, request.spec);
    // Only a child that has not been waited for is signalled: its pid cannot have gone to another process.
    children.get(request.pid)?.kill(request.signal);
    send({ event: 'done', id: request.id, pid: request.pid });
  } catch (error) {
    send({ event: 'failed', id: request.id, message: error instanceof Error ? error.message : String(error) });
  }
}

// The data is thrown away, so there is nothing that a graceful shutdown would save; SIGKILL also ends a paused server.
function end() {
  if (ending) return;
  ending = true;
  for (const child of children.values()) child.kill('SIGKILL');
  if (children.size === 0) finish();
}

function finish() {
  rmSync(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  process.exit(0);
}

process.stdout.on('error', end); // nobody reads any more
for (const signal of /** @type {const} */ (['SIGTERM', 'SIGINT', 'SIGHUP'])) process.on(signal, end);
process.on('uncaughtException', end);
createInterface({ input: process.stdin }).on('line', handle).on('close', end);
send({ event: 'ready', directory });
