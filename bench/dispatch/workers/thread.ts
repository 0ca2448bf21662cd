import { parentPort } from 'node:worker_threads';
import type { Request } from '../pending.js';
import { work } from '../work.js';

parentPort!.on('message', ([id, order]: Request) => parentPort!.postMessage([id, work(order)]));
