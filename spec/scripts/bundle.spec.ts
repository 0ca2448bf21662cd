import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { bundle } from '../../scripts/bundle/bundle.js';
import { ROOT } from '../../scripts/structure/read-sources.js';

const run = promisify(execFile);

const WORKER = `
import { Task, Worker } from 'packet-ts';
import { z } from 'zod';
export class Doubler { double(value) { return value * 2; } fail() { throw new RangeError('too far'); } }
const { prototype } = Doubler;
Task({ input: z.number(), output: z.number() })(prototype, 'double', Object.getOwnPropertyDescriptor(prototype, 'double'));
Task({})(prototype, 'fail', Object.getOwnPropertyDescriptor(prototype, 'fail'));
Worker('doubler', { timeout: '5s' })(Doubler);
`;

const MAIN = `
import { connect } from 'node:net';
import { bootstrap, Connection, InjectWorker, Module, OnData, OnError, PacketError } from 'packet-ts';
import { lines } from 'packet-ts/framing';
import { Doubler } from './doubler.js';
class Line {
  constructor(doubler) { this.doubler = doubler; }
  async answer(line) { return line === 'fail' ? this.doubler.fail() : String(await this.doubler.double(Number(line))); }
  explain(error) { return error.name + ' ' + (error instanceof PacketError); }
}
InjectWorker(Doubler)(Line, undefined, 0);
OnData()(Line.prototype, 'answer', Object.getOwnPropertyDescriptor(Line.prototype, 'answer'));
OnError()(Line.prototype, 'explain', Object.getOwnPropertyDescriptor(Line.prototype, 'explain'));
Connection({ listen: 'tcp://127.0.0.1:0', framing: lines() })(Line);
class Main {}
Module({ connections: [Line], workers: [Doubler] })(Main);
const app = await bootstrap(Main, { logger: false });
const socket = connect(app.address(Line).port, '127.0.0.1');
socket.end('21\\nno number\\nfail\\n');
for await (const chunk of socket.setEncoding('utf8')) process.stdout.write(chunk);
await app.close();
`;

describe('the bundled package', () => {
  let folder: string;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'packet-ts-spec-'));
    const installed = join(folder, 'node_modules/packet-ts');
    mkdirSync(installed, { recursive: true });
    await bundle(ROOT, join(installed, 'dist/src'));
    copyFileSync(join(ROOT, 'package.json'), join(installed, 'package.json'));
    for (const name of ['pino', 'reflect-metadata', 'tsyringe', 'zod'])
      symlinkSync(join(ROOT, 'node_modules', name), join(folder, 'node_modules', name));
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    writeFileSync(join(folder, 'doubler.js'), WORKER);
    writeFileSync(join(folder, 'main.js'), MAIN);
  });
  after(() => rmSync(folder, { recursive: true }));

  it('runs an application whose worker is a process of its own, and names its errors as they are named', async () => {
    const { stdout, stderr } = await run(process.execPath, [join(folder, 'main.js')], { timeout: 20_000 });
    expect(stderr).to.equal('');
    expect(stdout).to.equal('42\nBoundaryError true\nRangeError false\n');
  });

  it('is a ninth of the files, each with its source map', () => {
    const files = (root: string): string[] => readdirSync(root, { recursive: true, encoding: 'utf8' });
    const bundled = files(join(folder, 'node_modules/packet-ts/dist/src'));
    const scripts = bundled.filter(name => name.endsWith('.js'));
    expect(scripts).to.include.members(['index.js', join('framing', 'index.js'), join('worker-main', 'main.js'), join('cli', 'main.js')]);
    expect(scripts.length * 9).to.be.lessThan(files(join(ROOT, 'dist/src')).filter(name => name.endsWith('.js')).length);
    for (const name of scripts) expect(bundled).to.include(`${name}.map`);
  });
});
