import { execFileSync } from 'node:child_process';
import { readdirSync, readlinkSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { ConfigurationError, Connection, UsageError } from 'packet-ts';
import { files, Get, OnRequest, sendFile, Use, type FilesOptions, type UseFunction } from 'packet-ts/http';
import { asked, served } from '../kit/asked.js';
import { tcpClient, waitFor } from '../kit/index.js';

const TEXT = '0123456789'.repeat(100);
const WHEN = new Date('2024-01-02T03:04:05Z');

/** The file behind a descriptor of this process; '' where it was closed meanwhile. */
function linkOf(descriptor: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`);
  } catch {
    return '';
  }
}

describe('files()', () => {
  let top: string;
  let root: string;

  before(async () => {
    top = await mkdtemp(join(tmpdir(), 'packet-ts-files-'));
    root = join(top, 'public');
    await mkdir(join(root, 'sub', '.git'), { recursive: true });
    await mkdir(join(root, 'empty'));
    await writeFile(join(root, 'a.txt'), TEXT);
    await utimes(join(root, 'a.txt'), WHEN, WHEN);
    await writeFile(join(root, 'über uns.html'), '<p>');
    await writeFile(join(root, 'app.js'), '1');
    await writeFile(join(root, 'raw'), '');
    await writeFile(join(root, '.env'), 'SECRET');
    await writeFile(join(root, 'sub', 'index.html'), '<h1>');
    await writeFile(join(root, 'sub', '.git', 'config'), 'SECRET');
    await writeFile(join(top, 'secret.txt'), 'SECRET');
    await mkdir(join(top, 'public-not'));
    await writeFile(join(top, 'public-not', 'x'), 'SECRET');
    await symlink(join(root, 'a.txt'), join(root, 'link'));
    execFileSync('mkfifo', [join(root, 'pipe')]);
  });
  after(() => rm(top, { recursive: true, force: true }));

  const serve = (options: Partial<FilesOptions> = {}) =>
    served(files({ listen: 'http://127.0.0.1:0/assets', root: pathToFileURL(root), ...options }));

  it('sends a file with its type and validators, 304 where the client has it, and only the head to HEAD', async () => {
    const { ask } = await serve({ maxAge: '1h', immutable: true });
    const { status, headers, text } = await ask('/assets/a.txt');
    expect([status, text]).to.deep.equal([200, TEXT]);
    expect(headers).to.include({
      'content-type': 'text/plain; charset=utf-8',
      'content-length': '1000',
      'last-modified': WHEN.toUTCString(),
      'cache-control': 'public, max-age=3600, immutable',
      'accept-ranges': 'bytes',
      'x-content-type-options': 'nosniff',
    });
    const { etag } = headers;
    for (const fresh of [{ 'if-none-match': etag! }, { 'if-modified-since': WHEN.toUTCString() }]) {
      const answer = await ask('/assets/a.txt', { headers: fresh });
      expect([answer.status, answer.text, answer.headers.etag, answer.headers['content-length']]).to.deep.equal([304, '', etag, undefined]);
    }
    for (const stale of [{ 'if-none-match': '"else"' }, { 'if-modified-since': new Date(0).toUTCString() }])
      expect((await ask('/assets/a.txt', { headers: stale })).status).to.equal(200);
    expect((await ask('/assets/a.txt', { headers: { 'if-match': '"else"' } })).status).to.equal(412);
    const head = await ask('/assets/a.txt', { method: 'HEAD' });
    expect([head.status, head.text, head.headers['content-length'], head.headers.etag]).to.deep.equal([200, '', '1000', etag]);
    expect((await ask('/assets/app.js')).headers['content-type']).to.match(/^(?:text|application)\/javascript; charset=utf-8$/);
    const empty = await ask('/assets/raw');
    expect([empty.status, empty.text, empty.headers['content-type']]).to.deep.equal([200, '', 'application/octet-stream']);
    expect((await ask('/assets/%C3%BCber%20uns.html')).text).to.equal('<p>');
    expect((await ask('/assets/link')).text).to.equal(TEXT);
  });

  it('sends a part where one is asked for, and the whole where several are, or what the client has is older', async () => {
    const { ask } = await serve();
    const part = async (range: string, more: Record<string, string> = {}) => {
      const { status, headers, text } = await ask('/assets/a.txt', { headers: { range, ...more } });
      return [status, headers['content-range'], headers['content-length'], text.length < 50 ? text : text.length];
    };
    const whole = [200, undefined, '1000', 1000];
    expect(await part('bytes=5-7')).to.deep.equal([206, 'bytes 5-7/1000', '3', '567']);
    expect(await part('bytes=-3')).to.deep.equal([206, 'bytes 997-999/1000', '3', '789']);
    expect(await part('bytes=998-')).to.deep.equal([206, 'bytes 998-999/1000', '2', '89']);
    expect(await part('bytes=998-5000')).to.deep.equal([206, 'bytes 998-999/1000', '2', '89']);
    expect(await part('bytes=1000-')).to.deep.equal([416, 'bytes */1000', '13', 'no such range']);
    for (const nonsense of ['bytes=', 'bytes=5-2', 'lines=1-2', 'bytes=a-b', '5-7', `bytes=${'9'.repeat(400)}-`])
      expect((await part(nonsense))[0], nonsense).to.be.oneOf([200, 416]);
    expect(await part('bytes=0-1,3-4')).to.deep.equal(whole);
    expect(await part('bytes=5-7', { 'if-range': WHEN.toUTCString() })).to.deep.equal([206, 'bytes 5-7/1000', '3', '567']);
    expect(await part('bytes=5-7', { 'if-range': new Date(0).toUTCString() })).to.deep.equal(whole);
    expect(await part('bytes=5-7', { 'if-range': '"else"' })).to.deep.equal(whole);
    // A thousand ranges of everything are not a thousand files.
    for (const range of ['0-', '0-1', '-1'])
      expect((await part(`bytes=${Array.from({ length: 1_000 }, () => range).join(',')}`))[0], range).to.be.oneOf([200, 206]);
    const scattered = Array.from({ length: 400 }, (_, i) => `${i * 2}-${i * 2}`).join(',');
    expect(await part(`bytes=${scattered}`)).to.deep.equal(whole);
  });

  it('sends nothing outside of its folder, no name with a dot, and nothing that is no file, however it is written', async () => {
    const { port, ask } = await serve();
    const up = [
      '..',
      '%2e%2e',
      '.%2e',
      '%2E.',
      '..%2f',
      '..%5c',
      '%2e%2e%5c',
      '%252e%252e',
      '..%00',
      '%c0%ae%c0%ae',
      '%u002e%u002e',
      '....//',
    ];
    const targets = [
      ...up.flatMap(dots => [`${dots}/secret.txt`, `sub/${dots}/${dots}/secret.txt`, `${dots}/${dots}/${dots}/${dots}/etc/passwd`]),
      ...[
        '..%2f..%2f..%2fetc%2fpasswd',
        '%2fetc%2fpasswd',
        '//etc/passwd',
        `/${root}/../secret.txt`,
        '../public-not/x',
        '%2e%2e%2fpublic-not%2fx',
      ],
      ...['.env', '%2eenv', 'sub/.git/config', 'sub/%2egit/config', 'sub%2f.git%2fconfig', 'sub//.git/config', 'a.txt/../.env', './.env'],
      ...['a.txt%00', 'a.txt%00.html', '%00', 'pipe', 'nowhere', 'empty/', 'a.txt/', 'a'.repeat(5_000), `${'sub/'.repeat(1_000)}x`],
    ];
    for (const target of targets) {
      const { status, text } = await asked(port, `/assets/${target}`);
      expect([400, 403, 404], `${target}: ${text}`).to.include(status);
      expect(text).to.not.match(/SECRET|root:/);
    }
    // What no client library would send.
    for (const target of [
      '/assets\\..\\..\\secret.txt',
      '/assets/..\\secret.txt',
      'assets/a.txt',
      '/assets/%',
      '/assets/%zz',
      '/assets/\xff',
    ]) {
      const client = await tcpClient(port);
      await client.send(`GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
      expect(await client.all(), target)
        .to.match(/^HTTP\/1\.1 4\d\d /)
        .and.not.match(/SECRET/);
    }
    expect((await ask('/assets/a.txt', { method: 'PUT', body: 'x' })).status).to.equal(405);
    expect((await ask('/secret.txt')).status).to.equal(404);
  });

  it('answers a folder with its index, at the url with a slash, and never leads to another host', async () => {
    const { ask } = await serve();
    expect((await ask('/assets/sub/')).text).to.equal('<h1>');
    const to = async (path: string) => {
      const { status, headers } = await ask(path);
      return [status, headers.location];
    };
    expect(await to('/assets/sub?a=b')).to.deep.equal([301, '/assets/sub/?a=b']);
    expect(await to('/assets')).to.deep.equal([301, '/assets/']);
    const everything = await serve({ listen: 'http://127.0.0.1:0', index: false });
    const { status, headers } = await everything.ask('//sub');
    expect([status, headers.location]).to.deep.equal([301, '/sub/']);
    expect((await everything.ask('/sub/')).status).to.be.oneOf([403, 404]);
    expect((await everything.ask('//evil.example/%2e%2e/sub')).headers.location ?? '/').to.match(/^\/(?!\/)/);
  });

  it('closes a file whose download is broken off', async () => {
    await writeFile(join(root, 'large'), Buffer.alloc(16 * 1024 * 1024));
    const { port } = await serve();
    const openFiles = (): number => readdirSync('/proc/self/fd').filter(fd => linkOf(fd).endsWith('/large')).length;
    const client = await tcpClient(port);
    await client.send('GET /assets/large HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await client.bytes(100_000);
    expect(openFiles()).to.equal(1);
    client.reset();
    await waitFor(() => openFiles() === 0, { what: 'the file to be closed' });
  });

  it('may show names with a dot, refuse them, or leave out extensions', async () => {
    expect((await (await serve({ dotfiles: 'allow' })).ask('/assets/.env')).text).to.equal('SECRET');
    expect((await (await serve({ dotfiles: 'deny' })).ask('/assets/.env')).status).to.equal(403);
    expect((await (await serve({ extensions: ['txt'] })).ask('/assets/a')).text).to.equal(TEXT);
  });

  it('goes with routes, guards, cors and other endpoints of the port; sendFile() is for a route of its own', async () => {
    const mine: UseFunction = ({ headers }) => (headers.get('authorization') === 'me' ? undefined : new Response('', { status: 401 }));
    @Connection({ listen: 'http://127.0.0.1:0' })
    class Site {
      @Get('/reports/*') @Use(mine) report({ params, request }: { params: { '*': string }; request: Request }) {
        return sendFile(request, encodeURI(params['*']), { root });
      }
      @OnRequest() page() {
        return new Response('page');
      }
    }
    const assets = files({ listen: 'http://127.0.0.1:0/assets', root, cors: { origin: '*' } });
    const { ask } = await served(Site, assets);
    expect((await ask('/reports/a.txt')).status).to.equal(401);
    const headers = { authorization: 'me', range: 'bytes=0-1', origin: 'https://app.example' };
    const report = await ask('/reports/a.txt', { headers });
    expect([report.status, report.text, report.headers['access-control-allow-origin']]).to.deep.equal([206, '01', undefined]);
    expect((await ask('/reports/..%2f..%2fsecret.txt', { headers })).status).to.be.oneOf([400, 403, 404]);
    const asset = await ask('/assets/a.txt', { headers });
    expect([asset.status, asset.headers['access-control-allow-origin']]).to.deep.equal([206, '*']);
    expect((await ask('/')).text).to.equal('page');
  });

  it('refuses a folder that is none at bootstrap, and options that are none at once', async () => {
    for (const wrong of [join(root, 'nowhere'), join(root, 'a.txt')]) {
      const error = await serve({ root: wrong }).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      expect(error, wrong).to.be.instanceOf(ConfigurationError);
    }
    const wrong: object[] = [
      { root: 'relative' },
      { root: new URL('http://x/') },
      { dotfiles: 'show' },
      { maxAge: 'long' },
      { extensions: 'html' },
    ];
    for (const options of wrong)
      expect(() => files({ listen: 'http://127.0.0.1:0', root, ...options }), JSON.stringify(options)).to.throw(UsageError);
  });
});
