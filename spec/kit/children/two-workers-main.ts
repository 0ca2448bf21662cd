import { serveProcess } from '../../../src/tasks/index.js';
import { loadOneOfTwo } from '../two-workers.js';

serveProcess({ load: loadOneOfTwo });
