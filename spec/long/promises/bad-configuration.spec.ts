import { expect } from 'chai';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { bootstrap, ConfigurationError, Connection, Module, UsageError, type Endpoint } from 'packet-ts';
import { OnRequest } from 'packet-ts/http';
import 'packet-ts/websocket';
import { Dealt, MISSING, Secure, Shared } from '../../fixtures/connections/missing-certificate.worker.js';
import { processesOf, spawnScript, type Script } from '../../kit/index.js';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));

async function failure(script: Script): Promise<string> {
  const exit = await script.exit({ within: '20s' });
  expect(exit.code).to.be.a('number').above(0);
  expect(processesOf(process.pid).filter(({ ppid }) => ppid === script.pid)).to.deep.equal([]);
  return script.stderr.text;
}

function fixture(name: string): URL {
  return new URL(`../../fixtures/mistakes/${name}.main.js`, import.meta.url);
}

@Module({})
class Nothing {}

/** What is wrong with an application, in the words of its mistakes. */
async function mistakes(module: new () => object): Promise<string[]> {
  const outcome = await bootstrap(module, { logger: false, signals: false }).catch((error: unknown) => error);
  expect(outcome).to.be.instanceOf(ConfigurationError);
  return (outcome as ConfigurationError).mistakes.map(({ wrong }) => wrong);
}

describe('a bad configuration', function () {
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
    expect(refused)
      .to.be.instanceOf(UsageError)
      .and.to.have.property('message')
      .that.includes('close({ timeout }): "soon" is not a duration');
    expect(await app.close()).to.include({ graceful: true });
  });

  it('names a port that there cannot be, whatever the scheme, of a listener and of who is dialled', async () => {
    const schemes = ['tcp', 'udp', 'ws', 'http'];
    const ports = ['65536', '99999', '-1', '123456789'];
    const urls = schemes.flatMap(scheme => ports.map((port): [string, string] => [`${scheme}://[::1]:${port}`, port]));
    const endpoints = (web: boolean) => urls.filter(([url]) => url.startsWith('http') === web).map(([url]) => url as Endpoint);
    @Connection({ listen: endpoints(false), connect: 'tcp://127.0.0.1:65537' })
    class Messages {}
    @Connection({ listen: endpoints(true) })
    class Requests {
      @OnRequest() answer() {
        return new Response();
      }
    }
    @Module({ connections: [Messages, Requests] })
    class AppModule {}
    expect(await mistakes(AppModule)).to.have.members([
      ...urls.map(([url, port]) => `'${url}': there is no port ${port}: ports are 0 to 65535`),
      "'tcp://127.0.0.1:65537': there is no port 65537: ports are 0 to 65535",
    ]);
  });

  for (const [where, options] of Object.entries({
    'the master': { connections: [Secure] },
    'a worker that is dealt sockets': { workers: [Dealt] },
    'workers that share a socket': { workers: [Shared] },
  })) {
    it(`names the file and the option where a certificate is missing, in ${where}`, async () => {
      @Module(options)
      class AppModule {}
      const [wrong] = await mistakes(AppModule);
      expect(wrong).to.include(`tls.cert names the file ${fileURLToPath(MISSING)}: there is no such file`);
    });
  }

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
