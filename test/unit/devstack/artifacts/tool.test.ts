import { describe, expect, it } from 'vitest';
import { runTool } from '#devstack/artifacts/tool.js';
import { DevstackError, MissingPrerequisiteError } from '#devstack/errors.js';

describe('runTool', () => {
  it('returns what the tool wrote', async () => {
    expect(await runTool('sh', ['-c', 'echo out; echo err >&2'], { install: '' })).toMatch(/out\nerr|err\nout/);
  });

  it('says what to install when there is no such tool', async () => {
    const running = runTool('no-such-tool', [], { install: 'install no-such-package' });
    await expect(running).rejects.toThrow(MissingPrerequisiteError);
    await expect(running).rejects.toThrow('no-such-tool was not found: install no-such-package');
  });

  it('fails with the end of the output', async () => {
    const running = runTool('sh', ['-c', 'echo no route to host >&2; exit 3'], { install: '' });
    await expect(running).rejects.toThrow(DevstackError);
    await expect(running).rejects.toThrow(/ended with 3: no route to host/);
  });
});
