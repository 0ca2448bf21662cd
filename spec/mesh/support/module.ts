import 'reflect-metadata';
import { InjectWorker, Module, type WorkerClient } from '../../../src/index.js';
import { CallsWorker, HelperWorker } from './calls.worker.js';

/** Holds the client that specs call with. */
export class Caller {
  constructor(@InjectWorker(CallsWorker) readonly calls: WorkerClient<CallsWorker>) {}
}

@Module({ workers: [CallsWorker, HelperWorker], providers: [Caller] })
export class CallsModule {}
