import { ServiceBroker } from 'moleculer';
import { work, type Order } from '../dispatch/work.js';

const broker = new ServiceBroker({ nodeID: 'worker', transporter: process.argv[2]!, logger: false });
broker.createService({ name: 'receipts', actions: { work: (context: { params: Order }) => work(context.params) } });
await broker.start();
console.log('ready');
