import { expect } from 'chai';
import { bootstrap, InjectWorker, Module, Workers, type App, type WorkerClient, type WorkerStatus } from 'packet-ts';
import { Profiled, ProfiledInline, ProfiledRestricted, ProfiledThread } from '../fixtures/workers/profiled.worker.js';
import { atEnd, waitFor } from '../kit/index.js';
import { byPassword } from './support/admin-app.js';
import { AdminClient } from './support/admin-client.js';

const OPERATOR = { authorization: 'Bearer operator' };
const CPU = { do: 'profile', kind: 'cpu', seconds: 1 };
const HEAP = { do: 'profile', kind: 'heap', seconds: 1 };
const BURN = { times: 40, each: 50 };

class Callers {
  constructor(
    @InjectWorker(Profiled) readonly processes: WorkerClient<Profiled>,
    @InjectWorker(ProfiledThread) readonly threads: WorkerClient<ProfiledThread>,
  ) {}
}

@Module({ workers: [Profiled, ProfiledThread, ProfiledRestricted, ProfiledInline], providers: [Callers] })
class ProfiledModule {}

interface CpuProfile {
  readonly nodes: readonly { readonly callFrame: { readonly functionName: string } }[];
}

describe('a profile that is asked for on the page', function () {
  this.timeout(120_000);
  let app: App;
  let client: AdminClient;

  beforeEach(async () => {
    const admin = { listen: 'http://127.0.0.1:0', authorize: byPassword } as const;
    app = await bootstrap(ProfiledModule, { admin, logger: false, signals: false });
    atEnd(() => app.close({ timeout: '5s' }));
    client = await AdminClient.open(app, OPERATOR);
  });

  function processOf(worker: string): WorkerStatus {
    return app
      .get(Workers)
      .status()
      .find(({ name, state }) => name === worker && state === 'ready')!;
  }

  function fetched(path: string, headers: Record<string, string> = OPERATOR): Promise<Response> {
    return fetch(new URL(path, app.admin!.url), { headers });
  }

  /** The profile, and the name of its file. */
  async function taken(action: object): Promise<{ readonly name: string; readonly text: string }> {
    const { profile, error } = await client.ask(action);
    expect(error).to.equal(undefined);
    const response = await fetched(profile!);
    expect(response.status).to.equal(200);
    return { name: response.headers.get('content-disposition')!, text: await response.text() };
  }

  for (const [worker, client_] of [
    ['profiled', 'processes'],
    ['profiled_thread', 'threads'],
  ] as const) {
    it(`is one of the processor (${client_}): the worker's functions, and nothing of the master's`, async () => {
      const { id } = processOf(worker);
      const burning = app.get(Callers)[client_].burn(BURN);
      const others = app.get(Callers)[client_].burn(BURN);
      const { name, text } = await taken({ ...CPU, process: id });
      await Promise.all([burning, others]);
      expect(name).to.match(new RegExp(`^attachment; filename="ProfiledModule-${id}-[\\dT-]+\\.cpuprofile"$`));
      const functions = (JSON.parse(text) as CpuProfile).nodes.map(({ callFrame }) => callFrame.functionName);
      expect(functions).to.include('burnOnPurpose').and.not.to.include('waitFor');
    });

    it(`is a snapshot of the heap (${client_}), which costs the process neither its life nor a call`, async () => {
      const before = processOf(worker);
      const { name, text } = await taken({ ...HEAP, process: before.id });
      expect(name).to.match(/\.heapsnapshot"$/);
      const { snapshot, nodes } = JSON.parse(text) as {
        snapshot: { node_count: number; meta: { node_fields: unknown[] } };
        nodes: unknown[];
      };
      expect(nodes.length).to.equal(snapshot.node_count * snapshot.meta.node_fields.length);
      if (worker === 'profiled') expect(text).to.include('"KeptOnPurpose"');
      await app.get(Callers)[client_].burn({ times: 1, each: 1 });
      expect(processOf(worker).id).to.equal(before.id);
    });
  }

  it('is one of the master where no process is named', async () => {
    expect((await taken(CPU)).text).to.include('"nodes"');
    const { name, text } = await taken(HEAP);
    expect(name).to.include('ProfiledModule-master-');
    expect(text).to.include('"AdminFeed"');
  });

  it('is taken one at a time of each process, and others meanwhile', async () => {
    const [first, second] = app.get(Workers).status() as [WorkerStatus, WorkerStatus];
    const asked = client.ask({ ...CPU, process: first.id });
    expect((await client.ask({ ...CPU, process: first.id })).error).to.match(/is being taken already/);
    expect((await client.ask({ ...CPU, process: second.id })).profile).to.match(/^\/profile\//);
    const { profile } = await asked;
    await (await fetched(profile!)).text();
    expect((await client.ask({ ...CPU, process: first.id })).error).to.equal(undefined);
  });

  it('is for operators, once, under a path that only they are told', async () => {
    const { id } = processOf('profiled');
    const looking = await AdminClient.open(app);
    expect((await looking.ask({ ...CPU, process: id })).error).to.include('read-only');
    const { profile } = await client.ask({ ...CPU, process: id });
    expect(profile).to.match(/^\/profile\/[\w-]{32}$/);
    expect((await fetched(profile!, {})).status, 'a visitor who may look').to.equal(404);
    expect((await fetched(profile!, { authorization: 'Bearer wrong' })).status).to.equal(401);
    expect((await fetched('/profile/')).status).to.equal(404);
    const response = await fetched(profile!);
    expect(response.headers.get('content-security-policy')).to.include("default-src 'none'");
    expect(response.headers.get('x-content-type-options')).to.equal('nosniff');
    await response.text();
    expect((await fetched(profile!)).status, 'a second time').to.equal(404);
  });

  it('says so where the permissions of a worker keep the inspector from it; a snapshot needs none', async () => {
    const { id, pid } = processOf('profiled_restricted');
    expect((await client.ask({ ...CPU, process: id })).error).to.match(/^the worker's permissions keep the inspector from it/);
    expect((await taken({ ...HEAP, process: id })).text).to.include('"ProfiledRestricted"');
    expect(processOf('profiled_restricted').pid).to.equal(pid);
  });

  it('says so of an inline worker, of a process that is gone, and of what cannot be read', async () => {
    expect((await client.ask({ ...CPU, process: processOf('profiled_inline').id })).error).to.match(/it runs inside the master/);
    expect((await client.ask({ ...CPU, process: 'none' })).error).to.equal('process none is gone');
    client.socket.send(JSON.stringify({ id: 99, action: { ...CPU, seconds: 61 } }));
    await client.until(() => client.failures.length > 0, 'the refusal');
  });

  it('tells of the death of the process while it is taken, and while it is fetched', async () => {
    const first = processOf('profiled');
    const asked = client.ask({ ...CPU, seconds: 60, process: first.id });
    await waitFor(async () => (await client.ask({ ...CPU, process: first.id })).error !== undefined, { within: '10s' });
    process.kill(first.pid!, 'SIGKILL');
    expect((await asked).error).to.match(/^worker profiled pid \d+ has ended \(\w+\) before its profile was here$/);

    await waitFor(
      () =>
        app
          .get(Workers)
          .status()
          .every(({ id }) => id !== first.id),
      { within: '20s' },
    );
    const second = processOf('profiled');
    const { profile } = await client.ask({ ...HEAP, process: second.id });
    process.kill(second.pid!, 'SIGKILL');
    const response = await fetched(profile!);
    const broken: unknown = await response.text().catch((error: unknown) => error);
    expect(broken).to.be.instanceOf(Error);
    await client.until(() => client.failures.some(text => text.includes('has ended')), 'what is told of it');
  });

  it('ends with the page that asked for it', async () => {
    const { id } = processOf('profiled');
    const other = await AdminClient.open(app, OPERATOR);
    other.socket.send(JSON.stringify({ id: 1, action: { ...CPU, seconds: 60, process: id } }));
    await waitFor(async () => (await client.ask({ ...CPU, process: id })).error?.includes('already'), { within: '10s' });
    other.socket.socket.terminate();
    await waitFor(async () => (await client.ask({ ...CPU, process: id })).profile, { within: '20s', what: 'the process to be free again' });
  });
});
