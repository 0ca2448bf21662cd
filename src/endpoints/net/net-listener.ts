import { createServer, type ListenOptions, type Server, type ServerOpts, type Socket } from 'node:net';
import { guard, guardEach, NO_VICTIM } from '../../guard.js';
import type { Acceptor, EndpointTarget, Transport } from '../endpoint.js';
import { listenError } from '../system-errors.js';
import { setImmediate } from '../../system-timers.js';

/** A Node server that hands out transports and stops accepting when it is told, whatever its connections do. */
export class NetListener {
  readonly server: Server;
  #close: Promise<void> | undefined;

  private constructor(server: Server) {
    this.server = server;
  }

  /**
   * Binds, unless the sockets come from somewhere else. `around` calls what it is given at once: there the system call happens.
   * @throws ListenError
   */
  static bind(
    { url, source, unread }: Pick<EndpointTarget, 'url' | 'source' | 'unread'>,
    serverOptions: ServerOpts,
    where: ListenOptions,
    toTransport: (socket: Socket) => Transport,
    acceptor: Acceptor,
    around: (bind: () => void) => void = bind => bind(),
  ): Promise<NetListener> {
    const server = createServer({ ...serverOptions, allowHalfOpen: true, pauseOnConnect: unread === true });
    const accept = (): void => {
      server.on(
        'error',
        guard(NO_VICTIM, (error: Error) => acceptor.failed(listenError(url, error))),
      );
      server.on(
        'connection',
        guardEach(
          (socket: Socket) => socket,
          socket => acceptor.accept(toTransport(socket)),
        ),
      );
    };
    if (source) {
      accept();
      source.attach(server);
      return Promise.resolve(new NetListener(server));
    }
    return new Promise((resolve, reject) => {
      const failed = guard(NO_VICTIM, (error: Error) => reject(listenError(url, error)));
      server.once('error', failed);
      server.once(
        'listening',
        guard(NO_VICTIM, () => {
          server.off('error', failed);
          accept();
          resolve(new NetListener(server));
        }),
      );
      try {
        around(() => server.listen(where));
      } catch (error) {
        reject(listenError(url, error));
      }
    });
  }

  /** Resolves when the address is free; open connections live on. */
  close(): Promise<void> {
    // Node calls back when the connections are closed, too; the descriptor is closed at once.
    return (this.#close ??= new Promise(resolve => {
      this.server.close();
      setImmediate(resolve);
    }));
  }
}
