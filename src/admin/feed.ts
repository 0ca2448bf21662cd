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
import { Asked, type ProfileAction } from './messages.js';
import type { Profiles } from './profiles.js';
import type { Visitors } from './visitors.js';

/** Pages that may be open at once. */
const MOST = 32;
const READ_ONLY = 'this page is read-only for you: authorize says who may act';

/** Answers to a page. */
type Answer =
  | { readonly hello: { readonly role: AdminRole; readonly host: string } }
  | Change
  | { readonly id: number; readonly error?: string | undefined }
  // Where a profile can be fetched, once.
  | { readonly id: number; readonly profile: string }
  | { readonly error: string };

/** The connection class of the websocket that a page is kept up to date with. */
export function feedOf(hub: Hub, inspection: Inspection, visitors: Visitors, profiles: Profiles): Ctor {
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
    readonly #leaving = new AbortController();

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
      if (action.do === 'profile') {
        // Takes up to minutes, in which the page asks for other things.
        void this.#profile(id, action);
        return undefined;
      }
      try {
        await act(inspection, action);
        hub.update(this);
        return { id };
      } catch (thrown) {
        return { id, error: asError(thrown).message };
      }
    }

    async #profile(id: number, { process, kind, seconds }: ProfileAction): Promise<void> {
      const request = { kind, duration: seconds * 1_000 };
      const onBroken = (error: Error): void => this.#say({ error: error.message });
      try {
        this.#say({ id, profile: await profiles.take(process, request, { leaving: this.#leaving.signal, onBroken }) });
      } catch (thrown) {
        this.#say({ id, error: asError(thrown).message });
      }
    }

    /** Nothing, where the page has gone meanwhile. */
    #say(answer: Answer): void {
      if (!this.#leaving.signal.aborted) this.#peer.send(answer);
    }

    @OnError() explain(error: Error): Answer {
      return { error: error instanceof PacketError ? error.message : 'it failed' };
    }

    @OnClose() leave(): void {
      this.#leaving.abort();
      hub.leave(this);
    }
  }
  return AdminFeed;
}
