import 'reflect-metadata';
import { ClientProxyFactory, Transport } from '@nestjs/microservices';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { firstValueFrom } from 'rxjs';
import type { Contender } from '../kit/contender.js';
import { ended } from '../kit/exit.js';
import type { Call, Receipt } from './work.js';

/** What Nest offers to call another process of the same machine. */
export const nest: Contender<Call> = {
  name: 'nestjs tcp',
  start: async () => {
    const child = fork(new URL('./workers/nest.js', import.meta.url));
    const [port] = (await once(child, 'message')) as [number];
    const client = ClientProxyFactory.create({ transport: Transport.TCP, options: { host: '127.0.0.1', port } });
    await client.connect();
    return {
      subject: order => firstValueFrom(client.send<Receipt>('work', order)),
      stop: async () => {
        await client.close();
        await ended(child);
      },
    };
  },
};
