import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { ROOT } from '../../../scripts/structure/read-sources.js';
import { TEMPLATES } from '../../../src/cli/new/templates.js';
import { atEnd, holdExamplePorts, needsProgram, spawnProgram, webClient } from '../../kit/index.js';
import { outcomeOf, packetTs, portOf } from '../../cli/kit.js';

const run = promisify(execFile);

function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'packet-new-'));
  atEnd(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** What `npm install` would bring, as links. */
function install(project: string): void {
  mkdirSync(join(project, 'node_modules/@types'), { recursive: true });
  symlinkSync(ROOT, join(project, 'node_modules/packet-ts'));
  for (const name of ['zod', 'ws', '@types/node']) symlinkSync(join(ROOT, 'node_modules', name), join(project, 'node_modules', name));
}

async function made(template: string): Promise<string> {
  const folder = emptyFolder();
  const { code, err } = await outcomeOf(['new', 'my-app', '--template', template], { cwd: folder });
  expect({ code, err }).to.deep.equal({ code: 0, err: '' });
  const project = join(folder, 'my-app');
  install(project);
  await run(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', project]);
  return project;
}

describe('packet-ts new', function () {
  this.timeout(120_000);
  before(holdExamplePorts);

  for (const template of Object.keys(TEMPLATES)) {
    it(`makes a project of ${template} that compiles strictly, has no mistake, passes its own test and closes gracefully`, async () => {
      const project = await made(template);
      const test = await run(process.execPath, ['--test', 'dist/app.test.js'], { cwd: project });
      expect(test.stdout).to.match(/pass 1\n/);
      expect((await outcomeOf(['check', 'dist/app.module.js'], { cwd: project })).out).to.equal('app.module.js: no mistakes\n');
      const script = packetTs(['run', 'dist/app.module.js'], { cwd: project });
      expect(await portOf(script)).to.equal(TEMPLATES[template]!.port);
      script.kill('SIGTERM');
      expect(await script.exit()).to.deep.equal({ code: 0, signal: null });
    });
  }

  it('makes a chat whose page and websocket answer', async () => {
    const project = await made('chat');
    const script = packetTs(['run', 'dist/app.module.js'], { cwd: project });
    await portOf(script);
    await portOf(script);
    expect(await (await fetch('http://127.0.0.1:11081/')).text()).to.include('<title>chat</title>');
    const client = await webClient('ws://127.0.0.1:11081/chat');
    expect(JSON.parse(String(await client.next()))).to.deep.equal({ from: '*', text: '1 here' });
    script.kill('SIGTERM');
    expect((await script.exit()).code).to.equal(0);
  });

  it('names the project in its files, leaves no placeholder, and asks for packages that this version is tested with', async () => {
    const folder = emptyFolder();
    expect((await outcomeOf(['new', 'deep/my-app', '-t', 'chat'], { cwd: folder })).code).to.equal(0);
    const project = join(folder, 'deep/my-app');
    const files = readdirSync(project, { recursive: true, encoding: 'utf8' });
    expect(files).to.include.members(['.gitignore', '.dockerignore', 'Dockerfile', 'app.service', 'README.md', 'tsconfig.json', 'src']);
    for (const name of ['Dockerfile', 'app.service', 'README.md'])
      expect(readFileSync(join(project, name), 'utf8')).not.to.match(/@[A-Z]+@/);
    const own = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Record<string, Record<string, string>>;
    const file = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as Record<string, Record<string, string>>;
    expect(file['name']).to.equal('my-app');
    expect(file['dependencies']).to.deep.equal({
      'packet-ts': `^${String(own['version'])}`,
      zod: own['dependencies']!['zod'],
      ws: own['peerDependencies']!['ws'],
    });
    expect(file['devDependencies']).to.have.all.keys('@types/node', 'typescript');
  });

  it('runs in its image without root', async () => {
    const folder = emptyFolder();
    await outcomeOf(['new', 'my-app'], { cwd: folder });
    const lines = readFileSync(join(folder, 'my-app/Dockerfile'), 'utf8').split('\n');
    const user = lines.findIndex(line => line === 'USER node');
    expect(user).to.be.greaterThan(lines.findLastIndex(line => line.startsWith('FROM')));
    expect(user).to.be.lessThan(lines.findIndex(line => line.startsWith('CMD')));
  });

  it('takes packet-ts from a file, wherever the project is', async () => {
    const folder = emptyFolder();
    writeFileSync(join(folder, 'packet.tgz'), '');
    await outcomeOf(['new', 'deep/my-app', '--package', 'packet.tgz'], { cwd: folder });
    const { dependencies } = JSON.parse(readFileSync(join(folder, 'deep/my-app/package.json'), 'utf8')) as { dependencies: object };
    expect(dependencies).to.include({ 'packet-ts': 'file:../../packet.tgz' });
  });

  it('refuses what npm takes for no name, a template that there is not, and a folder that is not empty', async () => {
    const folder = emptyFolder();
    mkdirSync(join(folder, 'taken'));
    writeFileSync(join(folder, 'taken/notes.txt'), 'mine');
    for (const [args, words] of [
      [['new', 'My App'], 'is no name for a package'],
      [['new', 'my-app', '-t', 'evil'], `there is no template 'evil'; did you mean 'eval'?`],
      [['new', 'my-app', '-t', 'constructor'], 'there are eval, http, chat, jobs'],
      [['new', 'taken'], 'taken is there already, and not empty'],
    ] as const) {
      const { code, err } = await outcomeOf(args, { cwd: folder });
      expect(code).to.equal(2);
      expect(err).to.include(words);
    }
    expect(readdirSync(folder)).to.deep.equal(['taken']);
  });

  describe('its unit', () => {
    if (!needsProgram('systemd-analyze')) return;

    it('is one that systemd takes', async () => {
      const folder = emptyFolder();
      await outcomeOf(['new', 'my-app'], { cwd: folder });
      const unit = join(folder, 'my-app.service');
      // The node that runs this test stands for that of the machine.
      writeFileSync(unit, readFileSync(join(folder, 'my-app/app.service'), 'utf8').replace('/usr/bin/node', process.execPath));
      const verify = spawnProgram('systemd-analyze', ['verify', '--man=no', unit]);
      const { code } = await verify.exit({ within: '20s' });
      expect({ code, err: verify.stderr.text }).to.deep.equal({ code: 0, err: '' });
    });
  });
});
