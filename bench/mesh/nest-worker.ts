import 'reflect-metadata';
import { ServerNats } from '@nestjs/microservices';
import { work, type Order } from '../dispatch/work.js';

const server = new ServerNats({ servers: [process.argv[2]!] });
server.addHandler('work', order => Promise.resolve(work(order as Order)));
await server.listen(() => console.log('ready'));
