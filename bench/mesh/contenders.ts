import 'reflect-metadata';
import { ClientProxyFactory, Transport } from '@nestjs/microservices';
import { connect } from '@nats-io/transport-node';
import { ServiceBroker } from 'moleculer';
import { firstValueFrom } from 'rxjs';
import { bootstrap } from '../../src/index.js';
import { nats } from '../../src/nats/index.js';
import type { Contender } from '../kit/contender.js';
import { ended } from '../kit/exit.js';
import type { Call, Receipt } from '../dispatch/work.js';
import { broker, peer } from './server.js';
import { Client, ReceiptModule } from './module.js';

const here = (name: string): URL => new URL(`./${name}.js`, import.meta.url);

/** What a contender does with a server that runs: its call, and what ends it. */
type Connected = (url: string) => Promise<{ readonly call: Call; stop(): Promise<unknown> }>;

/** A contender with a server and a worker's process of its own. */
function over(name: string, worker: string, connected: Connected): Contender<Call> {
  return {
    name,
    start: async () => {
      const server = await broker();
      const child = await peer(here(worker), server.url);
      const { call, stop } = await connected(server.url);
      return {
        subject: call,
        stop: async () => {
          await stop();
          await ended(child);
          await server.stop();
        },
      };
    },
  };
}

export const mesh = over('packet-ts mesh', 'host', async url => {
  const app = await bootstrap(ReceiptModule, {
    mesh: nats({ servers: url }),
    placement: { '*': 'remote' },
    logger: false,
    signals: false,
  });
  const { worker } = app.get(Client);
  return { call: order => worker.receipt(order), stop: () => app.close({ timeout: '1s' }) };
});

/** The least that calls over NATS: one inbox, correlation by its last token, JSON. No validation, no queue, no limits, no word of a loss. */
export const raw = over('raw nats, own inbox', 'raw-worker', async url => {
  const client = await connect({ servers: url });
  const pending = new Map<string, (receipt: Receipt) => void>();
  let last = 0;
  client.subscribe('inbox.*', {
    callback: (_error, message) => {
      const id = message.subject.slice('inbox.'.length);
      const resolve = pending.get(id);
      pending.delete(id);
      resolve?.(message.json<Receipt>());
    },
  });
  const call: Call = order =>
    new Promise(resolve => {
      const id = String(++last);
      pending.set(id, resolve);
      client.publish('work', JSON.stringify(order), { reply: `inbox.${id}` });
    });
  return { call, stop: () => client.close() };
});

/** The client library's own requests. */
export const request = over('nats request()', 'raw-worker', async url => {
  const client = await connect({ servers: url, noAsyncTraces: true });
  const call: Call = async order => (await client.request('work', JSON.stringify(order), { timeout: 10_000 })).json<Receipt>();
  return { call, stop: () => client.close() };
});

export const nest = over('nestjs nats', 'nest-worker', async url => {
  const client = ClientProxyFactory.create({ transport: Transport.NATS, options: { servers: [url] } });
  await client.connect();
  return { call: order => firstValueFrom(client.send<Receipt>('work', order)), stop: async () => client.close() };
});

export const moleculer = over('moleculer', 'moleculer-worker', async url => {
  const client = new ServiceBroker({ nodeID: 'caller', transporter: url, logger: false });
  await client.start();
  await client.waitForServices('receipts');
  return { call: order => client.call<Receipt, object>('receipts.work', order), stop: () => client.stop() };
});
