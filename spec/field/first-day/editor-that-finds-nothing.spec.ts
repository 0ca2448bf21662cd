import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { expect } from 'chai';

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const file = `${root}spec/types/editor/clients.ts`;
const uri = pathToFileURL(file).href;

interface Place {
  readonly line: number;
  readonly character: number;
}
interface Span {
  readonly range: { readonly start: Place };
}
interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly result?: unknown;
  readonly params?: { readonly items?: readonly unknown[] };
}

/** The compiler's language server, asked as an editor asks it. */
class LanguageServer {
  readonly process: ChildProcess;
  readonly #answers = new Map<number, (result: unknown) => void>();
  #received = Buffer.alloc(0);
  #lastId = 0;

  constructor() {
    const tsc = fileURLToPath(new URL('node_modules/typescript/bin/tsc', pathToFileURL(root)));
    this.process = spawn(process.execPath, [tsc, '--lsp', '--stdio'], { cwd: root, stdio: ['pipe', 'pipe', 'inherit'] });
    this.process.stdout!.on('data', (chunk: Buffer) => this.#read(chunk));
  }

  ask(method: string, params: object): Promise<unknown> {
    const id = ++this.#lastId;
    const answer = new Promise(resolve => this.#answers.set(id, resolve));
    this.tell({ id, method, params });
    return answer;
  }

  tell(message: object): void {
    const text = JSON.stringify({ jsonrpc: '2.0', ...message });
    this.process.stdin!.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
  }

  #read(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk]);
    for (;;) {
      const end = this.#received.indexOf('\r\n\r\n');
      const length = Number(/Content-Length: (\d+)/i.exec(this.#received.toString('latin1', 0, Math.max(end, 0)))?.[1]);
      if (end < 0 || this.#received.length < end + 4 + length) return;
      const message = JSON.parse(this.#received.toString('utf8', end + 4, end + 4 + length)) as Message;
      this.#received = this.#received.subarray(end + 4 + length);
      if (message.method === undefined) this.#answers.get(message.id!)?.(message.result);
      // It asks for settings, which there are none of.
      else if (message.id !== undefined) this.tell({ id: message.id, result: message.params?.items?.map(() => null) ?? null });
    }
  }
}

describe('an editor, on a client of a worker', function () {
  const text = readFileSync(file, 'utf8');
  const placeOf = (index: number): Place => {
    const before = text.slice(0, index).split('\n');
    return { line: before.length - 1, character: before.at(-1)!.length };
  };
  const declared = placeOf(text.indexOf('look(word'));
  /** Each `.look('name'` is a call through another kind of client. */
  const calls = [...text.matchAll(/\.look\('([a-z.]+)'/g)].map(({ index, 1: name }) => ({ name: name!, place: placeOf(index + 1) }));
  let server: LanguageServer;

  before(async () => {
    server = new LanguageServer();
    await server.ask('initialize', { processId: process.pid, rootUri: pathToFileURL(root).href, capabilities: {} });
    server.tell({ method: 'initialized', params: {} });
    server.tell({ method: 'textDocument/didOpen', params: { textDocument: { uri, languageId: 'typescript', version: 1, text } } });
  });
  after(async () => {
    server.process.kill();
    await once(server.process, 'exit');
  });

  it('is asked about every kind of client', () => {
    expect(calls.map(({ name }) => name)).to.deep.equal(['client', 'proxied', 'instance.worker', 'instance.own']);
  });

  for (const { name, place } of calls) {
    it(`goes to the definition of the task: ${name}`, async () => {
      const found = await server.ask('textDocument/definition', { textDocument: { uri }, position: place });
      expect((found as readonly Span[]).map(({ range }) => range.start)).to.deep.equal([declared]);
    });

    it(`renames the call with the task, and every other call: ${name}`, async () => {
      const edit = await server.ask('textDocument/rename', { textDocument: { uri }, position: place, newName: 'seek' });
      const places = (edit as { changes: Record<string, readonly Span[]> }).changes[uri]!.map(({ range }) => range.start);
      expect(places).to.have.deep.members([declared, ...calls.map(call => call.place)]);
    });
  }
});
