import { readFileSync, writeFileSync } from 'node:fs';
import { get, type ClientRequest, type IncomingMessage } from 'node:http';
import { get as secureGet } from 'node:https';
import { text } from 'node:stream/consumers';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect } from 'chai';
import { ROOT } from '../../scripts/structure/read-sources.js';
import { packetTs } from '../cli/kit.js';
import { Authority } from '../kit/programs/certificates.js';
import { needsProgram, spawnProgram, tcpClient, waitFor, webClient, type Script } from '../kit/index.js';
import { blocksOf } from './support/blocks.js';
import { compile, projectOf, remove } from './support/project.js';

/** The address that clients come from, which is not the proxy's. */
const CLIENT = '127.0.0.2';

async function ask(request: ClientRequest): Promise<{ status: number | undefined; body: string }> {
  const [answer] = (await once(request, 'response')) as [IncomingMessage];
  return { status: answer.statusCode, body: await text(answer) };
}

describe('docs/behind-a-proxy.md, with the proxies that it speaks of', function () {
  this.timeout(120_000);
  if (!needsProgram('nginx', 'haproxy')) return;
  let project: string;
  let authority: Authority;
  const running: Script[] = [];

  before(async () => {
    project = projectOf(blocksOf('docs/behind-a-proxy.md'), readFileSync(join(ROOT, 'templates/common/tsconfig.json'), 'utf8'));
    compile(project);
    authority = new Authority();
    const { cert, key } = authority.issue('app.example');
    writeFileSync(join(project, 'cert.pem'), cert);
    writeFileSync(join(project, 'key.pem'), key);
    const own = (name: string): string => join(project, name);
    // The page shows the parts of a configuration that are the application's; what every nginx has around them stands here.
    writeFileSync(
      own('whole.conf'),
      `daemon off; master_process off; pid ${own('nginx.pid')}; error_log stderr; events {}
       http { access_log off; ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(name => `${name}_temp_path ${own(name)};`).join(' ')}
         include ${own('nginx.conf')}; }`,
    );
    for (const [file, port] of [
      ['api.js', 11_080],
      ['lines.js', 11_006],
    ] as const) {
      const server = packetTs(['run', `dist/${file}`], { cwd: project });
      running.push(server);
      await server.errorLine(new RegExp(`"port":${port}`), { within: '60s' });
    }
    running.push(spawnProgram('nginx', ['-p', project, '-c', own('whole.conf')]));
    running.push(spawnProgram('haproxy', ['-db', '-f', own('haproxy.cfg')]));
    for (const port of [11_443, 11_008])
      await waitFor(
        () =>
          tcpClient(port).then(
            client => (client.end(), true),
            () => false,
          ),
        { within: '60s', what: `port ${port}` },
      );
  });
  after(async () => {
    for (const script of running) script.kill('SIGTERM');
    await Promise.all(running.map(script => script.exit({ within: '60s' })));
    authority?.[Symbol.dispose]();
    remove(project);
  });

  it('nginx: a request and a websocket are told who the client is', async () => {
    const options = { ca: authority.cert, servername: 'app.example', localAddress: CLIENT };
    const headers = { host: 'app.example', 'x-forwarded-for': '6.6.6.6' };
    const { body } = await ask(secureGet('https://127.0.0.1:11443/whoami', { ...options, headers }));
    expect(body).to.equal(`you are ${CLIENT}`);
    const client = await webClient('wss://127.0.0.1:11443/live', [], {
      ...options,
      headers: { host: 'app.example' },
      origin: 'https://app.example',
    });
    expect(await client.next()).to.equal(`you are ${CLIENT}`);
    client.send('hello');
    expect(await client.next()).to.equal('hello');
  });

  it('HAProxy: a stream and a request are told who the client is', async () => {
    const client = await tcpClient({ port: 11_008, host: '127.0.0.1', localAddress: CLIENT });
    expect(await client.line({ within: '20s' })).to.equal(`you are ${CLIENT}`);
    client.end();
    // Its health check comes first: until then it answers 503 itself.
    const body = await waitFor(
      async () => {
        const { status, body } = await ask(get('http://127.0.0.1:11081/whoami', { localAddress: CLIENT }));
        return status === 200 && body;
      },
      { within: '60s', what: 'HAProxy to find the application healthy' },
    );
    expect(body).to.equal(`you are ${CLIENT}`);
  });
});
