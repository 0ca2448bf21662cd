/** What runs first in a worker's process. The order matters: signals are ignored and the link is taken before anything else is loaded. */
import { prepareProcess } from '../tasks/start/process-setup.js';

const link = prepareProcess();
const { serveWorker } = await import('./serve.js');
serveWorker(link);
