import { expect } from 'chai';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { bootstrap, Module, type App } from 'packet-ts';
import { WebSocket } from 'ws';
import { SecureEdge, SharedWebEdgeWorker, SocketEdge, WebEdge, WebEdgeWorker } from '../../fixtures/connections/web-edge.worker.js';
import { Authority } from '../../kit/programs/certificates.js';

@Module({ workers: [WebEdgeWorker] })
class Dealt {}

@Module({ workers: [SharedWebEdgeWorker] })
class Shared {}

for (const module of [Dealt, Shared]) {
  describe(`what is above TCP, ${module === Dealt ? 'dealt' : 'shared'}`, function () {
    let app: App;
    let authority: Authority;
    const told: string[] = [];
    const hear = (event: unknown): void => void told.push((event as { address: { url: string } }).address.url);

    before(async () => {
      subscribe('packet-ts:listener.open', hear);
      authority = new Authority();
      const { cert, key } = authority.issue('localhost');
      const file = join(authority.folder, 'edge');
      writeFileSync(`${file}.cert`, cert);
      writeFileSync(`${file}.key`, key);
      process.env['EDGE_CERTIFICATE'] = file;
      app = await bootstrap(module, { logger: false, signals: false });
    });
    after(async () => {
      unsubscribe('packet-ts:listener.open', hear);
      delete process.env['EDGE_CERTIFICATE'];
      await app.close({ timeout: '5s' });
      authority[Symbol.dispose]();
    });

    const isWorkers = (pid: string): boolean => app.workers.status().some(row => String(row.pid) === pid);

    it('the endpoints are told of by their own urls, not by those of what carries them', () => {
      expect(told).to.include.members([WebEdge, SecureEdge].map(cls => app.address(cls).url));
      expect(told.filter(url => url.startsWith('tcp:'))).to.deep.equal([]);
    });

    it('requests are answered by the processes', async () => {
      const { url } = app.address(WebEdge);
      expect(url).to.match(/^http:\/\/127\.0\.0\.1:\d+\/?$/);
      const pids = await Promise.all(Array.from({ length: 6 }, () => fetch(url).then(response => response.text())));
      expect(pids.every(isWorkers)).to.equal(true);
      if (module === Dealt) expect(new Set(pids).size).to.equal(2);
    });

    it('websockets are opened there', async () => {
      const { url } = app.address(SocketEdge);
      expect(url).to.match(/^ws:\/\/127\.0\.0\.1:\d+\/chat$/);
      const socket = new WebSocket(url);
      await once(socket, 'open');
      socket.send('who');
      const [message] = (await once(socket, 'message')) as [Buffer];
      expect(isWorkers(message.toString())).to.equal(true);
      socket.close();
      await once(socket, 'close');
    });

    it('the handshake of TLS happens there', async () => {
      const socket = connect({ port: app.address(SecureEdge).port, host: '127.0.0.1', servername: 'localhost', ca: authority.cert });
      await once(socket, 'secureConnect');
      socket.write('who\n');
      const [message] = (await once(socket, 'data')) as [Buffer];
      expect(isWorkers(message.toString().trim())).to.equal(true);
      socket.destroy();
    });
  });
}
