/** Fastify alone, as its documentation starts it. */
import type { AddressInfo } from 'node:net';
import { application } from './application.js';

const app = application();
await app.listen({ host: '127.0.0.1', port: 0 });
console.log((app.server.address() as AddressInfo).port);
