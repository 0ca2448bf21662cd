import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bootstrap, type App, type WorkerClient } from '../../../src/index.js';
import { nats } from '../../../src/nats/index.js';
import { atEnd, natsServer, spawnScript, type NatsServer, type Script } from '../../kit/index.js';
import { JournalCaller, JournalModule, type JournalWorker } from './journal.worker.js';

/** One server, hosts in processes of their own, a caller in this one, and the journal of all hosts. */
export class JournalRig {
  server!: NatsServer;
  app!: App;
  readonly #folder = mkdtempSync(join(tmpdir(), 'packet-mesh-'));
  readonly file = join(this.#folder, 'journal');

  static async open(): Promise<JournalRig> {
    const rig = new JournalRig();
    atEnd(() => rmSync(rig.#folder, { recursive: true, force: true }));
    writeFileSync(rig.file, '');
    rig.server = await natsServer();
    return rig;
  }

  /** A worker host; it serves when this resolves. */
  async host(name: string, servers = this.server.url): Promise<Script> {
    const script = spawnScript(new URL('./journal-host.main.js', import.meta.url), [servers, name], { env: { MESH_JOURNAL: this.file } });
    await script.line('serving');
    return script;
  }

  /** The caller's client. */
  async caller(servers = this.server.url): Promise<WorkerClient<JournalWorker>> {
    this.app = await bootstrap(JournalModule, {
      mesh: nats({ servers: servers.split(',') }),
      placement: { mesh_journal: 'remote' },
      logger: false,
      signals: false,
    });
    atEnd(() => this.app.close({ timeout: 100 }));
    return this.app.get(JournalCaller).journal;
  }

  /** Starts the server again at its address. */
  async restartServer(): Promise<void> {
    this.server = await natsServer({ port: this.server.port });
  }

  /** How often each call was begun, or whatever the journal says of it. */
  noted(what: string): Map<string, number> {
    const counts = new Map<string, number>();
    for (const line of readFileSync(this.file, 'utf8').split('\n')) {
      const [word, id] = line.split(' ');
      if (word === what && id !== undefined) counts.set(id, (counts.get(id) ?? 0) + 1);
    }
    return counts;
  }

  /** Calls that were begun more than once. */
  get twice(): string[] {
    return [...this.noted('begin')].filter(([, count]) => count > 1).map(([id]) => id);
  }
}
