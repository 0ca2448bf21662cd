import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, nkeyAuthenticator, nkeys, type NatsConnection } from '@nats-io/transport-node';
import { load } from 'js-yaml';
import { bootstrap, InjectWorker, MeshError, Module, serveWorkers, type WorkerClient } from '../../src/index.js';
import { nats } from '../../src/nats/index.js';
import { EvalWorker } from '../../examples/eval-server/eval.worker.js';
import { atEnd, findProgram, natsServer, needsProgram, waitFor, type NatsServer } from '../kit/index.js';
import { rejection } from '../workers/support/rig.js';

const PAGE = readFileSync(new URL('../../../docs/mesh.md', import.meta.url), 'utf8');
const block = (language: string): string => new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 's').exec(PAGE)![1]!;
const quiet = { logger: false, signals: false } as const;

class Evaluators {
  constructor(@InjectWorker(EvalWorker) readonly evaluator: WorkerClient<EvalWorker>) {}
}

@Module({ workers: [EvalWorker], providers: [Evaluators] })
class EvalModule {}

const [host, web, stranger] = [nkeys.createUser(), nkeys.createUser(), nkeys.createUser()];
const seedOf = (pair: typeof host): string => Buffer.from(pair.getSeed()).toString();

describe('the security file of docs/mesh.md', function () {
  this.timeout(30_000);
  if (!needsProgram('nats-server')) return;

  let server: NatsServer;

  before(async () => {
    const config = block('conf')
      .replace(/^(?:host|port):.*\n/gm, '')
      .replace('UHOST', host.getPublicKey())
      .replace('UWEB', web.getPublicKey());
    server = await natsServer({ config });
  });

  const mesh = (pair: typeof host, name: string): ReturnType<typeof nats> =>
    nats({ servers: server.url, namespace: 'shop', name, nkey: seedOf(pair) });

  /** A client that knows the key of a role and does with it what it likes. */
  async function intruder(pair: typeof host): Promise<{ client: NatsConnection; refused: () => string }> {
    const client = await connect({ servers: server.url, authenticator: nkeyAuthenticator(pair.getSeed()) });
    atEnd(() => client.close());
    const refusals: string[] = [];
    void (async () => {
      for await (const status of client.status()) if (status.type === 'error') refusals.push(status.error.message);
    })();
    return { client, refused: () => refusals.join('\n') };
  }

  it('lets a host serve, and a caller call', async () => {
    const serving = await serveWorkers(EvalModule, { mesh: mesh(host, 'host'), workers: ['eval_worker'], name: 'one', ...quiet });
    atEnd(() => serving.close());
    const app = await bootstrap(EvalModule, { mesh: mesh(web, 'web'), placement: { '*': 'remote' }, ...quiet });
    atEnd(() => app.close());
    expect(await app.get(Evaluators).evaluator.evaluate('1+1')).to.equal('2');
  });

  it('does not let a caller serve, nor a host call: both boots fail and name the subject', async () => {
    const serving = await rejection(serveWorkers(EvalModule, { mesh: mesh(web, 'web'), workers: ['eval_worker'], name: 'two', ...quiet }));
    expect(serving).to.be.instanceOf(MeshError).and.to.include({ reason: 'permission' });
    expect(serving['subject']).to.match(/^shop\.q\.eval_worker\./);
    const calling = await rejection(bootstrap(EvalModule, { mesh: mesh(host, 'web'), placement: { '*': 'remote' }, ...quiet }));
    expect(calling).to.be.instanceOf(MeshError).and.to.include({ reason: 'permission' });
    expect(calling['subject']).to.match(/^shop\./);
  });

  it('does not let a caller read what others are answered, or say that it is a host', async () => {
    const { client, refused } = await intruder(web);
    client.subscribe('shop.c.>', { callback: () => {} });
    client.subscribe('shop.q.eval_worker.>', { callback: () => {} });
    client.publish('shop.c.web2.someone.session', 'answer');
    client.publish('shop.here.eval_worker', 'presence');
    for (const subject of [
      'Subscription to "shop.c.>"',
      'Subscription to "shop.q.eval_worker.>"',
      'Publish to "shop.c.web2',
      'Publish to "shop.here',
    ])
      await waitFor(() => refused().includes(subject), { what: `the refusal of ${subject}` });
  });

  it('does not let a caller call a worker that is not its own', async () => {
    const { client, refused } = await intruder(web);
    client.publish('shop.q.other_worker.host.session', 'frame');
    await waitFor(() => refused().includes('Publish to "shop.q.other_worker'), { what: 'the refusal' });
  });

  it('does not take a key that it does not know', async () => {
    const error = await rejection(bootstrap(EvalModule, { mesh: mesh(stranger, 'web'), placement: { '*': 'remote' }, ...quiet }));
    expect(error).to.be.instanceOf(MeshError).and.to.include({ reason: 'refused' });
  });
});

describe('what docs/mesh.md deploys with', () => {
  it('is a compose file that starts a server, an application and worker hosts', () => {
    const { services } = load(block('yaml')) as { services: Record<string, { command: string[]; depends_on?: string[] }> };
    expect(Object.keys(services)).to.deep.equal(['nats', 'web', 'worker']);
    expect(services['worker']!.command.join(' ')).to.include('packet-ts work dist/app.module.js --worker eval_worker --mesh nats://');
    expect(services['web']!.depends_on).to.deep.equal(['nats']);
  });

  it('is a unit that systemd takes', () => {
    const unit = block('ini');
    for (const section of ['[Unit]', '[Service]', '[Install]']) expect(unit).to.include(section);
    for (const line of unit.split('\n')) if (line !== '') expect(line).to.match(/^(?:\[\w+\]|\w+=\S.*)$/);
    const analyze = findProgram('systemd-analyze');
    if (analyze === undefined) return;
    const folder = mkdtempSync(join(tmpdir(), 'packet-unit-'));
    atEnd(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'worker-host.service');
    writeFileSync(file, unit.replace(/ExecStart=\S+/, `ExecStart=${process.execPath}`).replace(/^(?:User|WorkingDirectory)=.*\n/gm, ''));
    execFileSync(analyze, ['verify', '--man=no', file], { stdio: 'pipe' });
  });
});
