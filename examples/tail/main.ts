import { bootstrap, Connection, exec, Module, OnData, OnExit, Peer, type ExitStatus } from 'packet-ts';
import { lines } from 'packet-ts/framing';

const path = process.argv[2] ?? '/var/log/syslog';

/** Follows a file with the program that does it best: what it prints are this connection's messages. */
@Connection({ connect: exec('tail', ['-n', '+1', '-F', path], { stderr: 'ignore' }), framing: lines() })
class Tail {
  constructor(private readonly peer: Peer<string>) {}
  @OnData() show(line: string): void {
    console.log(`${path}: ${line}`);
    if (line === 'the end') this.peer.destroy();
  }

  @OnExit() ended({ code, signal }: ExitStatus): void {
    console.log(`tail ended (${signal ?? code})`);
  }
}

@Module({ connections: [Tail] })
class AppModule {}

await bootstrap(AppModule);
