import {
  After,
  channel,
  Connection,
  Every,
  inject,
  InjectWorker,
  OnChannel,
  OnClose,
  OnConnect,
  OnData,
  OnDrain,
  OnEnd,
  OnError,
  OnIdle,
  OnWorkerData,
  OnWorkerEvent,
  Peer,
  Task,
  Worker,
  type ConnectionOptions,
  type About,
  type Channel,
  type CloseReason,
  type TaskContext,
  type WorkerClient,
} from 'packet-ts';
import { lines } from 'packet-ts/framing';
import { z } from 'zod';
import type { Ctor } from '../../../src/decorators/ctor.js';
import { Journal } from '../../kit/signals.js';
import type { TcpClient } from '../../kit/index.js';
import type { House } from './house.js';

export class Boom extends Error {
  override readonly name = 'Boom';
}

const boom = (): never => {
  throw new Boom('the handler failed');
};

/** How a method fails that fails. */
export const FAILURES = {
  throws: boom,
  rejects: () => Promise.reject(new Boom('the handler failed')),
  'answers with a thenable that throws': () => ({ then: boom }),
  'answers with a promise-like whose then cannot be read': () => Object.defineProperty({}, 'then', { get: boom, enumerable: true }),
} as const;

export const never = (): Promise<never> => new Promise(() => {});

@Worker('helper', { runtime: 'inline', timeout: '10s' })
export class Helper {
  @Task({ events: { news: z.string() } }) async inform(_: undefined, context: TaskContext<{ news: string }>): Promise<void> {
    await context.emit('news', 'item');
  }
  @OnData() protected mail(data: unknown): unknown {
    return data;
  }
}

export const News = channel<string>('attacks');

type Anywhere = ConnectionOptions<string, string>;

/** Anything that decorates a method of a connection. */
type Decorate = (target: object, key: string, descriptor: TypedPropertyDescriptor<() => unknown>) => void;

/** One hook, and how it comes to be called. */
export interface Hook {
  readonly name: string;
  readonly decorate: Decorate;
  readonly options?: Anywhere;
  /** What `@OnError` is told. */
  readonly about: { readonly during: About['during']; readonly hook?: string };
  /** Makes it be called; nothing where it is called anyway. */
  provoke?(client: TcpClient, house: House): unknown;
  /** Messages wait for it. */
  readonly holdsLine?: true;
  /** Without `@OnError` its failure is only logged. */
  readonly onlyLogged?: true;
  /** The peer has finished by then, and can ask for nothing more. */
  readonly atEnd?: true;
}

const say =
  (line: string) =>
  (client: TcpClient): Promise<void> =>
    client.send(`${line}\n`);

export const HOOKS: readonly Hook[] = [
  { name: 'OnConnect', decorate: OnConnect(), about: { during: 'hook', hook: 'OnConnect' }, holdsLine: true },
  { name: 'OnData', decorate: OnData(z.literal('bad')), about: { during: 'message' }, provoke: say('bad'), holdsLine: true },
  { name: 'OnWorkerData', decorate: OnWorkerData(), about: { during: 'hook', hook: 'OnWorkerData' }, provoke: say('tell') },
  {
    name: 'OnWorkerEvent',
    decorate: OnWorkerEvent(Helper, 'news'),
    about: { during: 'hook', hook: 'OnWorkerEvent' },
    provoke: say('call'),
  },
  { name: 'OnChannel', decorate: OnChannel(News), about: { during: 'hook', hook: 'OnChannel' }, provoke: say('publish') },
  { name: 'OnDrain', decorate: OnDrain(), about: { during: 'hook', hook: 'OnDrain' }, provoke: say('flood') },
  { name: 'OnIdle', decorate: OnIdle(), about: { during: 'hook', hook: 'OnIdle' }, options: { idleTimeout: 20 } },
  {
    name: 'OnEnd',
    decorate: OnEnd(),
    about: { during: 'hook', hook: 'OnEnd' },
    options: { allowHalfOpen: true },
    provoke: client => client.end(),
    atEnd: true,
  },
  { name: 'Every', decorate: Every('20ms'), about: { during: 'timer' }, onlyLogged: true },
  { name: 'After', decorate: After('20ms'), about: { during: 'timer' }, onlyLogged: true },
];

/** What became of the victims of one class. */
export class Fate {
  readonly journal = new Journal();
  readonly errors: { readonly error: Error; readonly about: About }[] = [];
  readonly reasons: CloseReason[] = [];
}

function decorate(cls: Ctor, key: string, decorator: Decorate): void {
  decorator(cls.prototype as object, key, Object.getOwnPropertyDescriptor(cls.prototype, key)!);
}

/** A connection class whose hook does what it is told to, and which answers every other line. */
export function victim(
  hook: Pick<Hook, 'decorate' | 'options'>,
  misbehave: () => unknown,
  { explains = false, where = { listen: 'tcp://127.0.0.1:0' } }: { explains?: boolean; where?: Anywhere } = {},
): { readonly cls: Ctor; readonly fate: Fate } {
  const fate = new Fate();
  class Victim {
    constructor(
      @inject(Peer) private readonly peer: Peer<string, string>,
      @InjectWorker(Helper) private readonly helper: WorkerClient<Helper>,
      @inject(News) private readonly news: Channel<string>,
    ) {}
    misbehave(): unknown {
      fate.journal.note('called');
      return misbehave();
    }
    data(line: string): unknown {
      if (line === 'tell') this.helper.tell('mail');
      else if (line === 'call') void this.helper.inform();
      else if (line === 'publish') this.news.publish('item');
      else if (line === 'flood') this.peer.send('x'.repeat(6_000_000));
      else return `the victim says ${line}`;
      return undefined;
    }
    explain(error: Error, about: About): void {
      fate.errors.push({ error, about });
      fate.journal.note('explained');
    }
    closed(reason: CloseReason): void {
      fate.reasons.push(reason);
      fate.journal.note('closed');
    }
  }
  decorate(Victim, 'misbehave', hook.decorate);
  decorate(Victim, 'data', OnData());
  decorate(Victim, 'closed', OnClose());
  if (explains) decorate(Victim, 'explain', OnError());
  Connection({ framing: lines(), ...where, ...hook.options })(Victim);
  return { cls: Victim, fate };
}
