import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { outcomeOf, packetTs } from '../cli/kit.js';
import { ROOT } from '../../scripts/structure/read-sources.js';
import { tcpClient, type Script } from '../kit/index.js';
import { blocksOf } from './support/blocks.js';

const run = promisify(execFile);
const page = blocksOf('docs/getting-started.md');

/** Posts JSON, as the page's curl does. */
async function post(path: string, body: unknown): Promise<{ status: number; text: string }> {
  const answer = await fetch(`http://127.0.0.1:11090${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: answer.status, text: await answer.text() };
}

describe('docs/getting-started.md, followed from an empty folder', function () {
  this.timeout(120_000);
  let folder: string;
  let project: string;
  let server: Script;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'packet-first-steps-'));
    project = join(folder, 'my-app');
    expect((await outcomeOf(['new', 'my-app', '--template', 'http'], { cwd: folder })).code).to.equal(0);
    mkdirSync(join(project, 'node_modules/@types'), { recursive: true });
    symlinkSync(ROOT, join(project, 'node_modules/packet-ts'));
    for (const name of ['zod', '@types/node']) symlinkSync(join(ROOT, 'node_modules', name), join(project, 'node_modules', name));
    for (const { file, text } of page) if (file !== undefined) writeFileSync(join(project, file), text);
    await run(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', project]);
    server = packetTs(['run', 'dist/app.module.js'], { cwd: project });
    await server.errorLine(/"port":11091/, { within: '60s' });
  });
  after(async () => {
    server?.kill('SIGTERM');
    const ended = await server?.exit({ within: '60s' });
    rmSync(folder, { recursive: true, force: true });
    expect(ended?.code).to.equal(0);
  });

  it('has every file that it speaks of', () => {
    expect(page.flatMap(({ file }) => file ?? [])).to.deep.equal([
      'src/words.worker.ts',
      'src/words.api.ts',
      'src/words.lines.ts',
      'src/app.module.ts',
      'src/app.test.ts',
    ]);
  });

  it('answers what it says', async () => {
    const [primes, words] = page.filter(({ language }) => language === 'json').map(({ text }) => text.trim());
    expect(await (await fetch('http://127.0.0.1:11080/primes?below=100')).text()).to.equal(primes);
    expect((await post('/count', { text: 'to be or not to be' })).text).to.equal(words);
    const client = await tcpClient(11_091);
    await client.send('to be or not to be\n');
    expect(await client.line({ within: '20s' })).to.equal(words);
    client.end();
  });

  it('survives the pattern that takes for ever, and answers others meanwhile', async () => {
    const shell = page.find(({ language, text }) => language === 'sh' && text.includes('/match'))!.text;
    const body = /-d '(.*?)' http/.exec(shell)![1]!;
    const order: string[] = [];
    const endless = post('/match', body).then(answer => (order.push('match'), answer));
    const count = post('/count', { text: 'one' }).then(answer => (order.push('count'), answer));
    expect((await count).text).to.equal('{"one":1}');
    expect((await endless).status).to.equal(504);
    expect(order).to.deep.equal(['count', 'match']);
    expect((await post('/match', { text: 'abc', pattern: '^a' })).text).to.equal('{"matches":true}');
  });

  it('passes its own test', async () => {
    const { stdout } = await run(process.execPath, ['--test', 'dist/app.test.js'], { cwd: project });
    expect(stdout).to.match(/pass 2\n/);
  });
});
