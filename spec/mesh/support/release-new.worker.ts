import { z } from 'zod';
import { InjectWorker, Module, Task, Worker, type WorkerClient } from '../../../src/index.js';

/** One worker in the new release: its input is a string. */
@Worker('mesh_release', { waitForHost: 0, timeout: '5s' })
export class ReleaseWorker {
  @Task({ input: z.string(), output: z.string() })
  run(value: string): string {
    return value;
  }
}

export class ReleaseCaller {
  constructor(@InjectWorker(ReleaseWorker) readonly client: WorkerClient<ReleaseWorker>) {}
}

@Module({ workers: [ReleaseWorker], providers: [ReleaseCaller] })
export class ReleaseModule {}
