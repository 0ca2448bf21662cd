import { Connection, OnData, OnShutdown, OnStop, Worker } from 'packet-ts';

/** Answers, and never finishes its shutdown. */
@Connection({ listen: 'tcp://127.0.0.1:0' })
export class Clinging {
  @OnData() echo(bytes: Buffer): Buffer {
    return bytes;
  }

  @OnShutdown() never(): Promise<void> {
    return new Promise(() => {});
  }
}

class Store {
  @OnStop() protected async stop(): Promise<void> {
    await new Promise(setImmediate);
    console.log('the store is written');
  }
}

@Worker('clinging_store', { connections: [Clinging], providers: [Store], timeout: '1s', closeTimeout: '1s' })
export class ClingingStore {
  constructor(readonly store: Store) {}
}
