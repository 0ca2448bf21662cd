import { expect } from 'chai';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Authority } from '../../kit/programs/certificates.js';
import { atEnd, holdExamplePorts, needsProgram, spawnProgram, spawnScript, type Script } from '../../kit/index.js';

function example(name: string, ...args: readonly string[]): Script {
  return spawnScript(new URL(`../../../examples/${name}/main.js`, import.meta.url), args);
}

/** What a program that was not written here says when it is given that input. */
async function says(program: string, args: readonly string[], input: string): Promise<string> {
  const script = spawnProgram(program, args);
  script.stdin.end(input);
  expect(await script.exit()).to.deep.equal({ code: 0, signal: null });
  return script.stdout.text;
}

/** The log line of a listener. */
const LISTENING = /"msg":"listening"/;

describe('the example', function () {
  if (!needsProgram('nc', 'socat', 'openssl')) return;
  before(holdExamplePorts);

  it('echo answers each line to netcat, and ends with it', async () => {
    const server = example('echo');
    await server.errorLine(LISTENING);
    expect(await says('nc', ['-N', '127.0.0.1', '11000'], 'one\ntwo\n')).to.equal('one\ntwo\n');
    server.kill('SIGTERM');
    expect(await server.exit()).to.deep.equal({ code: 0, signal: null });
  });

  it('multi-core answers from as many processes as there are cores for', async () => {
    const server = example('multi-core');
    await server.errorLine(LISTENING);
    const pids = new Set<string>();
    const clients = [1, 2, 3, 4].map(() => spawnProgram('socat', ['-', 'TCP:127.0.0.1:11020']));
    for (const client of clients) {
      client.stdin.write('pid\n');
      pids.add(await client.line());
    }
    expect(pids.size).to.equal(2);
    expect(pids.has(String(server.pid))).to.equal(false);
    clients[0]!.stdin.write('stretch 2 word\n');
    expect(await clients[0]!.line()).to.equal('9c16c96d992ee3c53299e9c497a4b1c16fd2b177214c5abb5dc958c57366a48b');
    for (const client of clients) client.stdin.end();
    server.kill('SIGTERM');
    expect(await server.exit()).to.deep.equal({ code: 0, signal: null });
  });

  it('chat brings a line of one to all others, and says goodbye', async () => {
    const server = example('chat');
    await server.errorLine(LISTENING);
    const listener = spawnProgram('socat', ['-', 'TCP:127.0.0.1:11010']);
    expect(await listener.line()).to.equal('Who are you? (0 others are here)');
    const speaker = spawnProgram('socat', ['-', 'TCP:127.0.0.1:11010']);
    expect(await speaker.line()).to.equal('Who are you? (1 others are here)');
    speaker.stdin.write('ann\nhello all\n');
    expect(await listener.line()).to.equal('* ann joined');
    expect(await listener.line()).to.equal('ann: hello all');
    speaker.stdin.end();
    expect(await listener.line()).to.equal('* ann left');
    server.kill('SIGTERM');
    expect(await listener.line()).to.equal('* the server is going down');
    expect(await server.exit()).to.deep.equal({ code: 0, signal: null });
  });

  it('tls-echo answers openssl s_client, which verifies it', async () => {
    using authority = new Authority();
    const { cert, key } = authority.issue('localhost');
    const [certFile, keyFile] = [join(authority.folder, 'cert.pem'), join(authority.folder, 'key.pem')];
    writeFileSync(certFile, cert);
    writeFileSync(keyFile, key);
    const server = example('tls-echo', certFile, keyFile);
    await server.errorLine(LISTENING);
    const verified = ['-CAfile', join(authority.folder, 'ca.pem'), '-verify_hostname', 'localhost', '-verify_return_error'];
    const client = spawnProgram('openssl', ['s_client', '-connect', 'localhost:11020', ...verified, '-quiet', '-no_ign_eof']);
    expect(await client.line()).to.match(/^TLSv1\.[23] with /);
    client.stdin.write('hello\n');
    expect(await client.line()).to.equal('hello');
    client.stdin.end();
    expect(await client.exit()).to.deep.equal({ code: 0, signal: null });
    server.kill('SIGTERM');
    expect(await server.exit()).to.deep.equal({ code: 0, signal: null });
  });

  it('http-client fetches a page over a plain connection', async () => {
    const client = example('http-client');
    expect(await client.line()).to.match(/^HTTP\/1\.1 200/);
    expect(await client.line()).to.equal('an article about /wiki/Reactor_pattern');
    expect(await client.line()).to.match(/^closed by (peer|local)$/);
    expect(await client.exit()).to.deep.equal({ code: 0, signal: null });
  });

  it('eval-server evaluates, and starts FooWorker behind its proxy with the first who asks', async () => {
    const server = example('eval-server');
    await server.line(/11007/);
    expect(await says('nc', ['-N', '127.0.0.1', '11006'], '1+1\n"a".repeat(3)\n')).to.equal("2\n'aaa'\n");
    const ask = async (word: string): Promise<unknown> =>
      JSON.parse(await says('nc', ['-N', '127.0.0.1', '11007'], JSON.stringify({ word }) + '\n'));
    const first = (await ask('reactor')) as { word: string; length: number; pid: number };
    expect(first).to.deep.include({ word: 'reactor', length: 7 });
    expect(first.pid).to.not.equal(server.pid);
    expect(await ask('reactor')).to.deep.equal(first);
    expect(await ask('')).to.have.property('error');
    server.kill('SIGINT');
    expect(await server.exit()).to.deep.equal({ code: 0, signal: null });
  });

  it('tail follows a file, starts again when tail is ended, and leaves none behind', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'packet-'));
    atEnd(() => rmSync(folder, { recursive: true }));
    const path = join(folder, 'log');
    writeFileSync(path, 'one\n');
    const follower = example('tail', path);
    expect(await follower.line()).to.equal(`${path}: one`);
    appendFileSync(path, 'the end\n');
    expect(await follower.line()).to.equal(`${path}: the end`);
    expect(await follower.line()).to.equal('tail ended (SIGTERM)');
    expect(await follower.line()).to.equal(`${path}: one`);
    follower.kill('SIGTERM');
    expect(await follower.exit()).to.deep.equal({ code: 0, signal: null });
  });
});
