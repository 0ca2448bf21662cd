export type { SocketService } from './intake.js';
export { importWorker } from './import-worker.js';
export { MemoryMark, type Mark } from './mark.js';
export { Master } from './master.js';
export { prepareProcess, type ProcessLink } from './process-setup.js';
export { TaskRuntime, type RuntimeEnd, type TaskRuntimeOptions } from './runtime.js';
export { serveInline } from './serve-inline.js';
export { serveProcess, type ServeOptions } from './serve-process.js';
export type { CreatedWorker, LoadWorker, LoadedWorker, WorkerEnvironment } from './worker-environment.js';
