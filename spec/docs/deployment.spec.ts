import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { load } from 'js-yaml';
import { outcomeOf, packetTs } from '../cli/kit.js';
import { needsProgram, spawnProgram, waitFor } from '../kit/index.js';
import { blocksOf, type Block } from './support/blocks.js';
import { compile, link, remove, write } from './support/project.js';

const page = blocksOf('docs/deployment.md');
const fileOf = (name: string): Block => page.find(({ file }) => file?.endsWith(name))!;

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
}

interface Manifest {
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly terminationGracePeriodSeconds: number;
        readonly containers: readonly [
          {
            readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
            readonly command: readonly string[];
            readonly livenessProbe: Probe;
            readonly readinessProbe: Probe;
          },
        ];
      };
    };
  };
}

describe('docs/deployment.md', function () {
  this.timeout(120_000);
  let folder: string;
  let project: string;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'packet-deployed-'));
    project = join(folder, 'my-app');
    await outcomeOf(['new', 'my-app', '--template', 'http'], { cwd: folder });
    write(
      project,
      page.filter(({ language }) => language === 'ts'),
    );
    link(project);
    compile(project);
  });
  after(() => remove(folder));

  it('Kubernetes: the command of the pod runs, its probes are answered, and it is ready no more before it ends', async () => {
    const { spec } = (load(fileOf('deployment.yaml').text) as Manifest).spec.template;
    const [{ ports, command, livenessProbe, readinessProbe }] = spec.containers;
    const portOf = (probe: Probe): number => ports.find(({ name }) => name === probe.httpGet.port)!.containerPort;
    const statusOf = async (probe: Probe): Promise<number> =>
      (await fetch(`http://127.0.0.1:${portOf(probe)}${probe.httpGet.path}`)).status;
    expect(command[0]).to.equal('node');
    const script = packetTs(command.slice(2), { cwd: project, env: { KUBERNETES_SERVICE_HOST: '10.0.0.1' } });
    await script.errorLine(new RegExp(`"port":${ports[0]!.containerPort}`), { within: '60s' });
    await script.errorLine(new RegExp(`"port":${portOf(livenessProbe)}`), { within: '60s' });
    expect([await statusOf(livenessProbe), await statusOf(readinessProbe)]).to.deep.equal([200, 200]);
    script.kill('SIGTERM');
    await waitFor(async () => (await statusOf(readinessProbe)) === 503, { within: '60s', what: 'the pod to be ready no more' });
    expect(await statusOf(livenessProbe)).to.equal(200);
    expect(await (await fetch(`http://127.0.0.1:${ports[0]!.containerPort}/primes?below=10`)).json()).to.deep.equal({
      below: 10,
      primes: 4,
    });
    script.kill('SIGTERM');
    expect((await script.exit({ within: '60s' })).code).to.equal(0);
    const main = fileOf('main.ts').text;
    const seconds = [...main.matchAll(/'(\d+)s'/g)].map(([, count]) => Number(count)).reduce((sum, count) => sum + count, 0);
    expect(spec.terminationGracePeriodSeconds).to.be.greaterThan(seconds);
  });

  it('containers: shows the Dockerfile that new projects have', () => {
    const made = readFileSync(join(project, 'Dockerfile'), 'utf8');
    const instructions = (text: string): string[] => text.split('\n').filter(line => line !== '' && !line.startsWith('#'));
    expect(instructions(page.find(({ language }) => language === 'docker')!.text)).to.deep.equal(instructions(made));
  });

  describe('systemd', () => {
    if (!needsProgram('systemd-analyze')) return;

    it('takes the unit', async () => {
      const unit = join(folder, 'my-app.service');
      writeFileSync(unit, fileOf('my-app.service').text.replace('/usr/bin/node', process.execPath));
      const verify = spawnProgram('systemd-analyze', ['verify', '--man=no', unit]);
      const { code } = await verify.exit({ within: '60s' });
      expect({ code, err: verify.stderr.text }).to.deep.equal({ code: 0, err: '' });
    });
  });
});
