import { InjectWorker, Module, type WorkerClient } from '../../src/index.js';
import { ReceiptWorker } from '../dispatch/workers/packet.js';

export class Client {
  constructor(@InjectWorker(ReceiptWorker) readonly worker: WorkerClient<ReceiptWorker>) {}
}

@Module({ workers: [ReceiptWorker], providers: [Client] })
export class ReceiptModule {}
