import 'reflect-metadata';
import { ServerTCP } from '@nestjs/microservices';
import type { AddressInfo, Server } from 'node:net';
import { work, type Order } from '../work.js';

/** The server of a NestJS microservice, with a handler of its own and nothing in front of it. */
const server = new ServerTCP({ host: '127.0.0.1', port: 0 });
server.addHandler('work', order => Promise.resolve(work(order as Order)));
server.listen(() => process.send!((server.unwrap<Server>().address() as AddressInfo).port));
process.on('disconnect', () => process.exit());
