import { hostname } from 'node:os';
import type { AdminRole } from '../app/admin/admin-types.js';
import type { Inspection } from '../app/report/inspection-types.js';
import { Connection } from '../decorators/connection/connection.js';
import { OnClose, OnConnect, OnData, OnError } from '../decorators/connection/connection-hooks.js';
import type { Ctor } from '../decorators/ctor.js';
import { asError, PacketError } from '../errors.js';
import { json } from '../framing/index.js';
import { Peer } from '../reactor/index.js';
import { act } from './act.js';
import type { Change } from './differences.js';
import type { Hub, Visitor } from './hub.js';
import { Asked } from './messages.js';
import type { Visitors } from './visitors.js';

/** Pages that may be open at once. */
const MOST = 32;
const READ_ONLY = 'this page is read-only for you: authorize says who may act';

/** Answers to a page. */
type Answer =
  | { readonly hello: { readonly role: AdminRole; readonly host: string } }
  | Change
  | { readonly id: number; readonly error?: string | undefined }
  | { readonly error: string };

/** The connection class of the websocket that a page is kept up to date with. */
export function feedOf(hub: Hub, inspection: Inspection, visitors: Visitors): Ctor {
  @Connection({
    framing: json<Asked, Answer>(),
    maxConnections: MOST,
    maxMessageSize: '16kb',
    rateLimit: { messages: 50, per: '1s', beyond: 'pause' },
    // Refused before anything is made for it.
    authorize: async (request, { remote, tls }) => {
      const role = await visitors.roleOf(request, { remote, tls: tls as Peer['tls'] });
      return typeof role === 'object' ? role : undefined;
    },
  })
  class AdminFeed implements Visitor {
    readonly #peer: Peer<Asked, Answer>;
    #role: AdminRole = 'read';

    constructor(peer: Peer<Asked, Answer>) {
      this.#peer = peer;
    }

    get congested(): boolean {
      return this.#peer.congested;
    }

    tell(change: Change): void {
      this.#peer.send(change);
    }

    @OnConnect() async greet(): Promise<void> {
      const { request, remote, tls } = this.#peer;
      // Its url is the websocket's own.
      const url = request!.url.replace(/^ws/, 'http');
      const role = await visitors.roleOf(new Request(url, { headers: request!.headers }), { remote, tls });
      if (typeof role === 'object') return this.#peer.destroy();
      this.#role = role;
      this.#peer.send({ hello: { role, host: hostname() } });
      hub.enter(this);
    }

    @OnData(Asked) async hear(asked: Asked): Promise<Answer | undefined> {
      if ('view' in asked) {
        hub.look(this, asked.view);
        return undefined;
      }
      const { id, action } = asked;
      if (this.#role !== 'operate') return { id, error: READ_ONLY };
      try {
        await act(inspection, action);
        hub.update(this);
        return { id };
      } catch (thrown) {
        return { id, error: asError(thrown).message };
      }
    }

    @OnError() explain(error: Error): Answer {
      return { error: error instanceof PacketError ? error.message : 'it failed' };
    }

    @OnClose() leave(): void {
      hub.leave(this);
    }
  }
  return AdminFeed;
}
