import { expect } from 'chai';
import { Connection, OnConnect, OnData } from 'packet-ts';
import { lines } from 'packet-ts/framing';
import { tcpClient, type TcpClient } from '../../kit/index.js';
import { proxyLine } from '../../kit/clients/proxy-header.js';
import { House } from '../support/house.js';

const TO = { address: '192.0.2.1', port: 443 };
const TO6 = { address: '2001:db8:ffff::1', port: 443 };

/** Behind a proxy, so that clients can come from anywhere. */
@Connection({ listen: 'tcp://127.0.0.1:0', framing: lines(), maxConnections: 30, proxyProtocol: { from: ['127.0.0.1'] } })
class Behind {
  @OnConnect() connected(): string {
    return 'welcome';
  }
}

@Connection({ listen: 'tcp://127.0.0.1:0', framing: lines(), maxConnections: 30 })
class Local {
  @OnConnect() connected(): string {
    return 'welcome';
  }
  @OnData() echo(line: string): string {
    return line;
  }
}

describe('one address that opens all connections it can', () => {
  const from = async (port: number, address: string): Promise<TcpClient> => {
    const client = await tcpClient(port);
    await client.send(proxyLine({ address, port: 50_000 }, address.includes(':') ? TO6 : TO));
    return client;
  };
  const countOf = async (clients: readonly TcpClient[]): Promise<number> => {
    const welcomes = await Promise.all(clients.map(client => client.line().catch(() => '')));
    return welcomes.filter(line => line === 'welcome').length;
  };

  it('gets a tenth of maxConnections by default, and everybody else the rest', async () => {
    const house = await House.open([Behind]);
    const { port } = house.app.address(Behind);
    const greedy = await Promise.all(Array.from({ length: 40 }, () => from(port, '203.0.113.7')));
    expect(await countOf(greedy)).to.equal(3);
    const others = await Promise.all(Array.from({ length: 27 }, (_, host) => from(port, `198.51.100.${host}`)));
    expect(await countOf(others)).to.equal(27);
  });

  it('gets no more with all addresses of its IPv6 network', async () => {
    const house = await House.open([Behind]);
    const { port } = house.app.address(Behind);
    const greedy = await Promise.all(Array.from({ length: 40 }, (_, host) => from(port, `2001:db8::${host.toString(16)}:1`)));
    expect(await countOf(greedy)).to.equal(3);
    expect(await countOf([await from(port, '2001:db8:0:1::1')])).to.equal(1);
  });

  it('is not limited so on the loopback, where everybody has one address', async () => {
    const house = await House.open([Local]);
    const clients = await Promise.all(Array.from({ length: 30 }, () => house.connect(Local)));
    expect(await countOf(clients)).to.equal(30);
  });
});
