import { Connection, InjectWorker, OnData, OnError, type WorkerClient } from 'packet-ts';
import { lines } from 'packet-ts/framing';
import { EvalWorker } from './eval.worker.js';

const HOST = process.env['HOST'] ?? '127.0.0.1';

/** One line in, one line out. */
@Connection({ listen: `tcp://${HOST}:11006`, framing: lines({ maxLength: '1mb' }) })
export class EvalConnection {
  constructor(@InjectWorker(EvalWorker) private readonly evaluator: WorkerClient<EvalWorker>) {}

  @OnData()
  evaluate(source: string): Promise<string> {
    return this.evaluator.evaluate(source);
  }

  @OnError()
  explain(error: Error): string {
    return `${error.name}: ${error.message}`.replaceAll('\n', '\\n');
  }
}
