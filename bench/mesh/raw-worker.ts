/** The least that answers requests over NATS. */
import { connect } from '@nats-io/transport-node';
import { work, type Order } from '../dispatch/work.js';

const client = await connect({ servers: process.argv[2]! });
client.subscribe('work', {
  queue: 'workers',
  callback: (error, message) => {
    if (!error) client.publish(message.reply!, JSON.stringify(work(message.json<Order>())));
  },
});
await client.flush();
console.log('ready');
