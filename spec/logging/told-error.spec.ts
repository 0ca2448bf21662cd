import { expect } from 'chai';
import { pino } from 'pino';
import { BoundaryError, FramingError, LimitError, ProxyProtocolError, TlsError } from '../../src/errors.js';
import { toldError } from '../../src/logging/told-error.js';

/** What pino makes of it. */
function logged(error: unknown): Record<string, unknown> {
  let line = '';
  pino({ base: null }, { write: text => (line += text) }).error({ err: toldError(error) });
  return (JSON.parse(line) as { err: Record<string, unknown> }).err;
}

describe('an error in the log', () => {
  it('has its class, message, stack, code and causes', () => {
    class OutOfStock extends Error {}
    const cause = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', errno: -104, syscall: 'read' });
    const told = logged(new OutOfStock('no more tea', { cause }));
    expect(told).to.include({ type: 'OutOfStock', message: 'no more tea: read ECONNRESET' });
    expect(told['stack'])
      .to.match(/^Error: no more tea\n {4}at .*told-error\.spec/)
      .and.include('caused by: Error: read ECONNRESET');
    expect(toldError(cause)).to.include({ code: 'ECONNRESET' });
  });

  it('of a peer has no stack, and not the words of the parser, which repeat what came', () => {
    const cause = new SyntaxError('Unexpected token \'h\', "hunter2" is not valid JSON');
    for (const error of [
      new FramingError('a line is not a JSON document', { cause }),
      new TlsError('TLS handshake failed', { cause }),
      new ProxyProtocolError('the PROXY line is not written as one', { cause }),
      new LimitError('maxConnections', 'refused: maxConnections'),
    ]) {
      const told = logged(error);
      expect(told).to.include({ type: error.constructor.name, message: error.message, code: error.code, stack: '' });
      expect(JSON.stringify(told)).to.not.include('hunter2');
    }
  });

  it('names where a message did not fit, not what its schema says of it, and not the value', () => {
    const issues = [
      { message: 'expected number, received "hunter2"', path: ['account', 0, 'age'] },
      { message: 'Unrecognized key: "hunter2"', path: [] },
    ];
    const told = logged(new BoundaryError({ direction: 'input', issues }));
    expect(told['message']).to.equal('invalid message: 2 issues at account.0.age, the whole');
    expect(JSON.stringify(told)).to.not.include('hunter2');
  });

  it('leaves out what else hangs at it: requests, raw packets, urls with credentials', () => {
    const error = Object.assign(new TypeError('Invalid URL'), {
      code: 'ERR_INVALID_URL',
      input: 'http://user:hunter2@host/',
      rawPacket: Buffer.from('hunter2'),
      response: { status: 500, body: 'hunter2' },
      status: 400,
    });
    const told = logged(error);
    expect(told).to.include({ code: 'ERR_INVALID_URL' }).and.not.have.any.keys('input', 'rawPacket', 'response');
  });
});
