import { expect } from 'chai';
import { resp } from '../../../examples/kv/resp.js';
import { conformance } from '../../../src/testing/conformance.js';
import { atEnd, needsProgram, spawnProgram, spawnScript, tcpClient, type Script } from '../../kit/index.js';

const words = (...texts: readonly string[]): Buffer[] => texts.map(text => Buffer.from(text));

describe('the framing of the example kv', () => {
  conformance(resp(), {
    samples: [
      {
        bytes: '*2\r\n$3\r\nGET\r\n$1\r\nk\r\n*0\r\n\r\n*1\r\n$4\r\nPING\r\nPING\r\n  set  a b \n*3\r\n$0\r\n\r\n$2\r\n\r\n\r\n$1\r\n*\r\n',
        messages: [words('GET', 'k'), words('PING'), words('PING'), words('set', 'a', 'b'), words('', '\r\n', '*')],
      },
      { bytes: `*2\r\n$4\r\nECHO\r\n$1000000\r\n${'x'.repeat(1_000_000)}\r\n`, messages: [words('ECHO', 'x'.repeat(1_000_000))] },
    ],
    garbage: [
      '*1\r\n:3\r\n',
      '*x\r\n',
      '*-2\r\n',
      '*1\r\n$-1\r\n',
      '*1\r\n$99999999999999999999\r\n',
      '*1000000\r\n$1\r\nx\r\n',
      '*1\n$1\r\nx\r\n',
    ],
  });

  it('writes every kind of reply', () => {
    const { encode } = resp();
    const text = (reply: Parameters<typeof encode>[0]): string =>
      Buffer.concat([encode(reply)].flat().map(chunk => Buffer.from(chunk as string))).toString();
    expect(text('OK')).to.equal('+OK\r\n');
    expect(text(-1)).to.equal(':-1\r\n');
    expect(text(null)).to.equal('$-1\r\n');
    expect(text(new Error('two\r\nlines'))).to.equal('-ERR two lines\r\n');
    expect(text([Buffer.from('ä'), [1, null]])).to.equal('*2\r\n$2\r\nä\r\n*2\r\n:1\r\n$-1\r\n');
  });
});

describe('the example kv', function () {
  if (!needsProgram('redis-cli', 'redis-benchmark')) return;

  let server: Script;
  let port: string;
  before(async () => {
    server = spawnScript(new URL('../../../examples/kv/main.js', import.meta.url), ['0']);
    port = String((JSON.parse(await server.errorLine(/"msg":"listening"/)) as { address: { port: number } }).address.port);
  });
  after(async () => {
    server.kill('SIGTERM');
    expect(await server.exit()).to.deep.equal({ code: 0, signal: null });
  });

  /** What redis-cli prints for some commands, one per line. */
  async function cli(...lines: readonly string[]): Promise<string[]> {
    const script = spawnProgram('redis-cli', ['-p', port]);
    script.stdin.end(`${lines.join('\n')}\n`);
    expect(await script.exit()).to.deep.equal({ code: 0, signal: null });
    return script.stdout.text.replace(/\n$/, '').split('\n');
  }

  it('is a Redis to redis-cli', async () => {
    expect(await cli('PING', 'ECHO "with spaces"', 'SET k "ä\\r\\n\\x00"', 'GET k', 'EXISTS k none', 'DEL k', 'GET k')).to.deep.equal([
      'PONG',
      'with spaces',
      'OK',
      'ä\r',
      '\0',
      '1',
      '1',
      '',
    ]);
    expect(await cli('SET n 1', 'INCR n', 'INCRBY n 40', 'MGET n none n', 'SET n 2 NX', 'SET n 2 XX', 'GET n')).to.deep.equal([
      'OK',
      '2',
      '42',
      '42',
      '',
      '42',
      '',
      'OK',
      '2',
    ]);
  });

  it('expires keys', async () => {
    expect(await cli('SET short x PX 1', 'SET long x EX 100', 'TTL long', 'TTL none', 'SET stays x', 'TTL stays')).to.deep.equal([
      'OK',
      'OK',
      '100',
      '-2',
      'OK',
      '-1',
    ]);
    // Another client, a process later.
    expect(await cli('GET short')).to.deep.equal(['']);
  });

  it('answers errors in their place, and goes on', async () => {
    expect(await cli('SET text x', 'INCR text', 'NOSUCH', 'GET', 'SET k v EX', 'PING')).to.deep.equal([
      'OK',
      'ERR value is not an integer or out of range',
      '',
      "ERR unknown command 'NOSUCH'",
      '',
      "ERR wrong number of arguments for 'get' command",
      '',
      'ERR value is not an integer or out of range',
      '',
      'PONG',
    ]);
  });

  it('publishes to who has subscribed', async () => {
    const subscriber = spawnProgram('redis-cli', ['-p', port, 'SUBSCRIBE', 'news']);
    atEnd(() => subscriber.kill());
    for (const line of ['subscribe', 'news', '1']) expect(await subscriber.line()).to.equal(line);
    expect(await cli('PUBLISH other nothing', 'PUBLISH news hello')).to.deep.equal(['0', '1']);
    for (const line of ['message', 'news', 'hello']) expect(await subscriber.line()).to.equal(line);
  });

  it('takes a mass insertion: redis-cli --pipe', async () => {
    const script = spawnProgram('redis-cli', ['-p', port, '--pipe']);
    for (let i = 0; i < 20_000; i++)
      script.stdin.write(`*3\r\n$3\r\nSET\r\n$${`key:${i}`.length}\r\nkey:${i}\r\n$3\r\n${100 + (i % 900)}\r\n`);
    script.stdin.end();
    expect(await script.exit({ within: '30s' })).to.deep.equal({ code: 0, signal: null });
    expect(script.stdout.text).to.match(/errors: 0, replies: 20000/);
    expect(await cli('GET key:19999')).to.deep.equal([String(100 + (19_999 % 900))]);
  });

  it('stands up to redis-benchmark, 50 clients, 16 requests in flight each', async () => {
    const script = spawnProgram('redis-benchmark', ['-p', port, '-t', 'set,get,ping', '-P', '16', '-n', '20000', '--csv']);
    expect(await script.exit({ within: '50s' })).to.deep.equal({ code: 0, signal: null });
    const rows = script.stdout.text.trim().split('\n').slice(1);
    expect(rows.map(row => row.split(',')[0])).to.deep.equal(['"PING_INLINE"', '"PING_MBULK"', '"SET"', '"GET"']);
    for (const row of rows) expect(Number(row.split(',')[1]!.replaceAll('"', '')), row).to.be.above(1_000);
  });

  it('ends who speaks another protocol, and QUIT', async () => {
    const stranger = await tcpClient(Number(port));
    await stranger.send('*1\r\n:1\r\n');
    expect(await stranger.all()).to.match(/^-ERR '\$' and a number were expected/);
    const polite = await tcpClient(Number(port));
    await polite.send('QUIT\r\n');
    expect(await polite.all()).to.equal('+OK\r\n');
    for (const client of [stranger, polite]) client.end();
  });
});
