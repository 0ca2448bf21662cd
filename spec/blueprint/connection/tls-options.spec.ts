import { expect } from 'chai';
import '../../../src/endpoints/index.js';
import { readConnection, readEndpoints, reporter } from '../../../src/blueprint/index.js';
import { Connection } from '../../../src/decorators/connection/connection.js';
import type { Mistake } from '../../../src/errors.js';
import { told } from '../kit.js';

const PEM = '-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n';

function read(tls: unknown, url = 'tcp://127.0.0.1:0') {
  const mistakes: Mistake[] = [];
  readEndpoints({ url, tls }, {}, 'listen', reporter('C', mistakes));
  return { mistakes, told: told(mistakes) };
}

describe('tls: options', () => {
  it('that are right are no mistake, on any endpoint: startTls() uses them', () => {
    const file = new URL('./key.pem', import.meta.url);
    expect(read({ cert: file, key: file, ca: [file, PEM], clientCert: 'require', minVersion: 'TLSv1.3', alpn: ['a'] }).told).to.deep.equal(
      [],
    );
    expect(read({ cert: Buffer.from(PEM), key: PEM, sni: () => undefined }).told).to.deep.equal([]);
    expect(read({ servername: 'a.example' }).told).to.deep.equal([]);
  });

  it('are refused with what is wrong and what to write', () => {
    expect(read({ minVersion: 'TLSv1.1' }).told).to.deep.equal(['C.listen: tls: minVersion is "TLSv1.1"']);
    expect(read({ clientCert: 'always' }).mistakes[0]!.remedy).to.contain("'none' or 'request' or 'require'");
    expect(read({ servrname: 'a' }).mistakes[0]).to.include({ wrong: "tls: there is no option 'servrname'", remedy: "write 'servername'" });
    expect(read({ cert: '/etc/ssl/a.pem', key: '/etc/ssl/a.key' }).told).to.deep.equal([
      'C.listen: tls.cert is a string that is no PEM',
      'C.listen: tls.key is a string that is no PEM',
    ]);
    expect(read({ ca: [PEM, 7] }).told).to.deep.equal(['C.listen: tls.ca is a value of type number']);
    expect(read({ ca: new URL('https://example.com/ca.pem') }).told).to.deep.equal(['C.listen: tls.ca is a https: URL']);
  });

  it('need certificate and key together', () => {
    expect(read({ cert: PEM }).told).to.deep.equal(['C.listen: tls has a cert and no key']);
    expect(read({ key: PEM }).told).to.deep.equal(['C.listen: tls has a key and no cert']);
  });

  it('of other names are looked at, too', () => {
    expect(read({ sni: { 'a.example': { cert: PEM } } }).told).to.deep.equal(['C.listen: tls has a cert and no key']);
  });

  it('of a class are its own mistakes', () => {
    @Connection({ tls: { key: PEM } })
    class Half {}
    expect(told(readConnection(Half).mistakes)).to.deep.equal(['Half.@Connection: tls has a key and no cert']);
  });

  it('never show a key', () => {
    for (const tls of [PEM, { cert: PEM }, { key: 'c2VjcmV0', cert: PEM }, { key: { pem: PEM }, cert: PEM }, { alpn: PEM }])
      expect(JSON.stringify(read(tls, 'tls://127.0.0.1:0').mistakes), JSON.stringify(tls)).not.to.contain('c2VjcmV0');
  });

  it('of a listening tls: endpoint have a certificate that fits its key', () => {
    expect(read(undefined, 'tls://127.0.0.1:0').told[0]).to.match(/has no certificate: write tls: { cert, key }/);
    expect(read({ cert: PEM, key: PEM }, 'tls://127.0.0.1:0').told[0]).to.match(/its certificate cannot be used/);
    expect(read({ cert: PEM, key: PEM }, 'tls://nowhere').told[0]).to.match(/not written like 'tls:\/\/host:port'/);
  });
});
