import { PassThrough } from 'node:stream';
import { confirm } from '@tailwater/runtime';
import { expect, it } from 'vitest';

const asked = { command: 'consumer dead-letters discard', what: '3 dead letters are removed', yes: false };
const signal = new AbortController().signal;

function terminal(answer: string, isTTY = true) {
  const [stdin, stderr] = [new PassThrough(), new PassThrough()].map((stream) => Object.assign(stream, { isTTY }));
  if (stdin === undefined || stderr === undefined) throw new TypeError('no streams');
  stdin.write(answer);
  return { stdin, stderr };
}

it.each(['y\n', 'YES\n'])('goes on after %j', async (answer) => {
  const at = terminal(answer);
  await confirm(asked, signal, at);
  expect(String(at.stderr.read())).toContain('3 dead letters are removed. Go on? [y/N] ');
});

it.each(['n\n', '\n', 'yesterday\n'])('does not after %j', async (answer) => {
  await expect(confirm(asked, signal, terminal(answer))).rejects.toMatchObject({ code: 'TW1086', exitCode: 2 });
});

it('refuses where there is no terminal, and asks nothing with --yes', async () => {
  const at = terminal('y\n', false);
  await expect(confirm(asked, signal, at)).rejects.toMatchObject({ code: 'TW1085', exitCode: 2 });
  await confirm({ ...asked, yes: true }, signal, at);
  expect(at.stderr.read()).toBeNull();
});
