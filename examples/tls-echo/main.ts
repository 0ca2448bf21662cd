import { pathToFileURL } from 'node:url';
import { bootstrap, Connection, Module, OnConnect, OnData, Peer } from 'packet-ts';
import { lines } from 'packet-ts/framing';

const [cert = 'cert.pem', key = 'key.pem'] = process.argv.slice(2);

/**
 * Echo behind TLS. The files are read again when they change, and open connections live on.
 * @example
 * openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout key.pem -out cert.pem
 * openssl s_client -connect localhost:11020 -CAfile cert.pem -quiet
 */
@Connection({
  listen: 'tls://localhost:11020',
  tls: { cert: pathToFileURL(cert), key: pathToFileURL(key) },
  framing: lines(),
})
class TlsEcho {
  constructor(private readonly peer: Peer<string, string>) {}

  @OnConnect() welcome(): string {
    const { protocol, cipher } = this.peer.tls!;
    return `${protocol} with ${cipher}`;
  }

  @OnData() echo(line: string): string {
    return line;
  }
}

@Module({ connections: [TlsEcho] })
class AppModule {}

await bootstrap(AppModule);
