/** What a process of the crew runs: worker-main without a container. */
import { serveProcess } from '../../../src/tasks/index.js';
import { loaded } from '../../kit/workers/worker-fixture.js';
import { crew } from './crew.js';

serveProcess({ load: () => Promise.resolve(loaded(crew())) });
