import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { readConnection, readEndpoints, reporter, schemeOf } from '../../../src/blueprint/index.js';
import { Connection } from '../../../src/decorators/connection/connection.js';
import { exec } from '../../../src/decorators/connection/exec.js';
import { ConfigurationError, type Mistake } from '../../../src/errors.js';
import { BAD, HERE, OUT, told } from '../kit.js';

const run = promisify(execFile);
const BLUEPRINT = new URL('../../../src/blueprint/index.js', import.meta.url).href;
const WITHOUT_IMPORTS = `
  import { readEndpoints } from ${JSON.stringify(BLUEPRINT)};
  const imports = [];
  readEndpoints(['wss://h:1', 'http://h:2'], {}, 'listen', (member, wrong, remedy) => imports.push(/'(.*)'/.exec(remedy)[1]));
  process.stdout.write(imports.join(' '));
`;

function read(written: unknown, options: Record<string, unknown> = {}, use: 'listen' | 'connect' = 'listen') {
  const mistakes: Mistake[] = [];
  const endpoints = readEndpoints(written, options, use, reporter('C', mistakes));
  return { endpoints, mistakes, told: told(mistakes) };
}

describe('endpoints', () => {
  it('are one, several, or what a function returns', () => {
    const one = { url: HERE, options: {} };
    expect(read(HERE).endpoints).to.deep.equal([one]);
    expect(read([HERE, HERE]).endpoints).to.deep.equal([one, one]);
    expect(read(() => [HERE, { url: HERE }]).endpoints).to.deep.equal([one, one]);
    expect(read(undefined).endpoints).to.deep.equal([]);
    expect(read(() => []).endpoints).to.deep.equal([]);
  });

  it('override the options of their class, each by itself', () => {
    const { endpoints, mistakes } = read({ url: HERE, idleTimeout: '5s', backlog: undefined }, { idleTimeout: '1s', backlog: 5 });
    expect(mistakes).to.deep.equal([]);
    expect(endpoints).to.deep.equal([{ url: HERE, options: { idleTimeout: '5s', backlog: 5 } }]);
  });

  it('may have options that only their scheme understands', () => {
    expect(read({ url: HERE, colour: 'red' })).to.deep.include({ told: [], endpoints: [{ url: HERE, options: { colour: 'red' } }] });
    expect(read({ url: HERE, color: 'red' }).mistakes[0]).to.include({ wrong: "there is no option 'color'", remedy: "write 'colour'" });
  });

  it('keep the command of exec()', () => {
    const tail = exec('tail', ['-f', 'x'], { stderr: 'merge' });
    const { endpoints } = read({ url: tail, idleTimeout: '1s' }, {}, 'connect');
    expect(endpoints).to.deep.equal([
      { url: 'exec:tail', exec: { command: 'tail', args: ['-f', 'x'], options: { stderr: 'merge' } }, options: { idleTimeout: '1s' } },
    ]);
    expect(read(tail, {}, 'connect').endpoints[0]!.url).to.equal('exec:tail');
    expect(schemeOf(endpoints[0]!)).to.equal('exec');
  });

  it('are refused with what is wrong and what to write', () => {
    expect(read('localhost').told).to.deep.equal(["C.listen: 'localhost' is no url"]);
    expect(read(7000).told).to.deep.equal(['C.listen: 7000 is no endpoint']);
    expect(read({ port: 7000 }).told).to.have.members(["C.listen: there is no option 'port'", 'C.listen: an endpoint has no url']);
    expect(read(OUT).told).to.deep.equal(["C.listen: 'spec-out:there' cannot listen"]);
    expect(read(BAD).told).to.deep.equal(["C.listen: 'spec:bad': it is bad"]);
    expect(read({ url: HERE, idleTimeout: 'soon' }).told).to.deep.equal(['C.listen: idleTimeout is "soon"']);
    expect(read({ url: HERE, lowWaterMark: '1mb' }).told).to.deep.equal([
      'C.listen: lowWaterMark is above highWaterMark (1048576 and 65536 bytes)',
    ]);
  });

  it('of a scheme that nobody knows are refused', () => {
    expect(read('gopher://h:70').mistakes[0]).to.deep.include({ wrong: "nothing knows the scheme of 'gopher://h:70'" });
    expect(read('gopher://h:70').mistakes[0]!.remedy).to.match(/register your own/);
  });

  it('name the import that brings a scheme which nobody imported', async () => {
    // In a process of its own: here some other spec may have imported it.
    const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', WITHOUT_IMPORTS]);
    expect(stdout).to.equal('packet-ts/websocket packet-ts/http');
  });

  it('that a throwing function should have returned are a mistake', () => {
    const broken = (): never => {
      throw new TypeError('no PORT');
    };
    expect(read(broken)).to.deep.include({ endpoints: [], told: ['C.listen: its function threw TypeError: no PORT'] });
  });

  it('of a connection are read anew by each call, and wrong ones thrown', () => {
    let url = HERE;
    @Connection({ listen: () => url })
    class Moving {}
    const { listen, mistakes } = readConnection(Moving);
    expect(mistakes).to.deep.equal([]);
    expect(listen()[0]!.url).to.equal(HERE);
    url = BAD;
    expect(() => listen()).to.throw(ConfigurationError, /it is bad/);
  });
});
