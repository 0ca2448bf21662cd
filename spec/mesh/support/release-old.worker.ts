import { z } from 'zod';
import { InjectWorker, Module, Task, Worker, type WorkerClient } from '../../../src/index.js';

/** One worker in the old release: its input is a number. */
@Worker('mesh_release', { waitForHost: 0, timeout: '5s' })
export class ReleaseWorker {
  @Task({ input: z.number(), output: z.string() })
  run(value: number): string {
    return String(value);
  }
}

export class ReleaseCaller {
  constructor(@InjectWorker(ReleaseWorker) readonly client: WorkerClient<ReleaseWorker>) {}
}

@Module({ workers: [ReleaseWorker], providers: [ReleaseCaller] })
export class ReleaseModule {}
