import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { holdExamplePorts, spawnScript, tcpClient, waitFor } from '../../kit/index.js';

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const readme = readFileSync(join(root, 'README.md'), 'utf8');

/** The blocks of one language, as a reader copies them. */
function blocks(language: string): readonly string[] {
  return [...readme.matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\``, 'gm'))].map(([, text]) => text!);
}

const sources = blocks('ts').map(text => ({ name: /^\/\/ (\w+\.ts)$/m.exec(text)?.[1], text }));

describe('the README, copied into a project of its own', function () {
  this.timeout(120_000);
  let project: string;

  before(holdExamplePorts);
  before(() => {
    project = mkdtempSync(join(tmpdir(), 'readme-'));
    mkdirSync(join(project, 'src'));
    mkdirSync(join(project, 'node_modules/@types'), { recursive: true });
    symlinkSync(root, join(project, 'node_modules/packet-ts'));
    for (const dependency of ['zod', '@types/node'])
      symlinkSync(join(root, 'node_modules', dependency), join(project, 'node_modules', dependency));
    writeFileSync(join(project, 'package.json'), '{ "type": "module" }');
    writeFileSync(join(project, 'tsconfig.json'), blocks('json')[0]!);
    for (const { name, text } of sources) writeFileSync(join(project, 'src', name!), text);
    execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', project, '--skipLibCheck'], { encoding: 'utf8' });
  });
  after(() => rmSync(project, { recursive: true, force: true }));

  it('names the file of each snippet, and says what a package.json needs', () => {
    expect(sources.map(({ name }) => name)).to.deep.equal(['echo.ts', 'primes.ts', 'eval.ts']);
    expect(readme).to.include('"type": "module"');
  });

  it('has a worker that runs as it stands, without a warning of its own', async () => {
    const script = spawnScript(join(project, 'dist/primes.js'));
    expect((await script.exit({ within: '60s' })).code).to.equal(0);
    expect(script.stdout.text.trim()).to.equal('true');
    expect(script.stderr.text).not.to.match(/no timeout|"level":[56]0/);
  });

  for (const [file, port, question, answer] of [
    ['echo', 11_000, 'hello', 'hello'],
    ['eval', 11_006, '1+1', '2'],
  ] as const) {
    it(`has a server that answers as it says: ${file}.ts`, async () => {
      const script = spawnScript(join(project, `dist/${file}.js`));
      const client = await waitFor(() => tcpClient(port), { within: '60s', what: `${file}.ts to listen` });
      await client.send(`${question}\n`);
      expect(await client.line({ within: '20s' })).to.equal(answer);
      client.end();
      script.kill('SIGTERM');
      expect((await script.exit({ within: '60s' })).code).to.equal(0);
      expect(script.stderr.text).not.to.match(/no timeout|"level":[56]0/);
    });
  }

  it('links to nothing that the package does not carry', () => {
    const { files } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { files: readonly string[] };
    const carried = (path: string): boolean =>
      files.some(each => path === each || path.startsWith(`${each}/`)) || ['README.md', 'LICENSE'].includes(path);
    const links = [...readme.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)].map(([, path]) => path!);
    expect(links).to.not.be.empty;
    expect(links.filter(path => !carried(path))).to.deep.equal([]);
  });
});
