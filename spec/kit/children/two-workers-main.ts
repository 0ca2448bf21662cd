import { isMainThread } from 'node:worker_threads';
import { serveProcess, serveThread } from '../../../src/tasks/index.js';
import { loadOneOfTwo } from '../workers/two-workers.js';

(isMainThread ? serveProcess : serveThread)({ load: loadOneOfTwo });
