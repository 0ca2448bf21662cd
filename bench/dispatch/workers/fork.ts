import type { Request } from '../pending.js';
import { work } from '../work.js';

process.on('message', ([id, order]: Request) => void process.send!([id, work(order)]));
process.on('disconnect', () => process.exit());
