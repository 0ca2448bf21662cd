import { expect } from 'chai';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { bootstrap, Module, type ConfigurationError } from 'packet-ts';
import { processesOf, spawnScript, type Script } from '../kit/index.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

async function failure(script: Script): Promise<string> {
  const exit = await script.exit({ within: '20s' });
  expect(exit.code).to.be.a('number').above(0);
  expect(processesOf(process.pid).filter(({ ppid }) => ppid === script.pid)).to.deep.equal([]);
  return script.stderr.text;
}

function fixture(name: string): URL {
  return new URL(`../fixtures/mistakes/${name}.main.js`, import.meta.url);
}

@Module({})
class Nothing {}

describe('a bad configuration', function () {
  this.timeout(30_000);

  it('of bootstrap() itself is told like any other, before anything is started', async () => {
    const options = { closeTimeout: 'soon', uncaught: 'ignore', signals: 'no', nonsense: 1, listen: new Map([[Nothing, 'tcp://:0']]) };
    const told = await bootstrap(Nothing, options as never).then(
      () => [],
      ({ mistakes }: ConfigurationError) => mistakes.map(({ wrong }) => wrong),
    );
    expect(told).to.deep.equal([
      'closeTimeout is "soon"',
      'uncaught is "ignore"',
      'signals is "no"',
      "there is no option 'nonsense'",
      'it names Nothing, which this application does not serve',
    ]);
  });

  it('of close() rejects, and the application goes on until it is closed in earnest', async () => {
    const app = await bootstrap(Nothing, { logger: false, signals: false });
    const refused = await app.close({ timeout: 'soon' as never }).catch((error: unknown) => error);
    expect(refused).to.be.instanceOf(TypeError);
    expect(await app.close()).to.include({ graceful: true });
  });

  it('tells every mistake at once, each with its class and the remedy, and leaves nothing running', async () => {
    const text = await failure(spawnScript(fixture('many')));
    expect(text).to.match(/\d mistakes:/);
    expect(text)
      .to.match(/'twice'|"twice"|twice/)
      .and.to.include('Second');
    expect(text).to.match(/NoProxy.*(@Proxy|WorkerProxy)/);
    expect(text).to.match(/Proxied.*OnConnect/);
    expect(text).to.match(/Needy.*'database'/);
    expect(text).to.match(/Unreachable.*gopher/);
  });

  it('of one kind is one clear message: no metadata under tsx names the class, the parameter and @inject', async () => {
    const source = `${ROOT}spec/fixtures/mistakes/no-metadata.main.ts`;
    const text = await failure(spawnScript(source, [], { cwd: ROOT, execArgv: ['--import', 'tsx'] }));
    expect(text).to.match(/Blind.*constructor.*parameter.*@inject\(/s);
  });

  it('shows the import error of a worker file that throws', async () => {
    const text = await failure(spawnScript(fixture('throws-on-import')));
    expect(text)
      .to.match(/broken_worker/)
      .and.to.include('the model file is missing');
  });

  it('names the endpoint of a port that is in use, and ends the workers that had started', async () => {
    const occupant = createServer().listen(0, '127.0.0.1');
    await once(occupant, 'listening');
    try {
      const { port } = occupant.address() as AddressInfo;
      const text = await failure(spawnScript(fixture('port-in-use'), [], { env: { PORT: String(port) } }));
      expect(text)
        .to.include(`tcp://127.0.0.1:${port}`)
        .and.to.match(/in use/);
    } finally {
      occupant.close();
    }
  });
});
