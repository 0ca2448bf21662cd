import { queueCases } from './cases/queue.js';

queueCases('inline');
