import { expect } from 'chai';
import { prettyStream } from '../../src/logging/pretty.js';
import { needsProgram, spawnProgram, spawnScript } from '../kit/index.js';

const ANSI = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g');

describe('the log on a terminal', () => {
  it('is in words where it is asked for, and JSON where not', async () => {
    const written: string[] = [];
    const write = (text: string): void => void written.push(text);
    expect(await prettyStream(write, { PACKET_LOG_FORMAT: 'json' })).to.equal(undefined);
    const stream = await prettyStream(write, { PACKET_LOG_FORMAT: 'pretty', NO_COLOR: '1' });
    stream!.write('{"level":30,"time":0,"worker":"w","msg":"ready"}\n');
    stream!.write('no JSON at all\n');
    expect(written[0])
      .to.match(/INFO.*ready/)
      .and.include('worker: "w"');
    expect(written[1]!.trim()).to.equal('no JSON at all');
  });

  const main = new URL('../fixtures/start/delayed.main.js', import.meta.url);

  it('is JSON in a pipe', async () => {
    const piped = spawnScript(main, [], { env: { PACKET_LOG: 'info' } });
    expect(JSON.parse(await piped.errorLine('listening'))).to.include({ level: 30, msg: 'listening' });
  });

  describe('which a terminal is', () => {
    if (!needsProgram('script')) return;
    it('is in words', async () => {
      const command = `${process.execPath} ${main.pathname}`;
      const terminal = spawnProgram('script', ['-qfec', command, '/dev/null'], { env: { PACKET_LOG: 'info' } });
      expect((await terminal.line('listening')).replaceAll(ANSI, '')).to.match(/INFO.*: listening/);
    });
  });
});
