import { EventEmitter } from 'node:events';
import { expect } from 'chai';
import { decodeValue, encodeValue } from '../../../src/wire/codec/codec.js';

/** An error as HTTP clients make them: with the response, and with the request, its socket, its agent and their callbacks. */
function clientError(): Error {
  const request = Object.assign(new EventEmitter(), { path: '/', socket: new EventEmitter() });
  const config = { url: 'http://localhost/', headers: { accept: '*/*' }, transformRequest: [() => {}], validateStatus: () => true };
  const response = { status: 503, statusText: 'busy', headers: { 'retry-after': '1' }, data: { why: ['load', 2n] }, config, request };
  return Object.assign(new TypeError('Request failed'), { code: 'ERR_BAD_RESPONSE', config, request, response, toJSON: () => ({}) });
}

describe('an error with a socket and callbacks on it', () => {
  it('arrives with all that can be copied of it', () => {
    const error = decodeValue(encodeValue(clientError())) as TypeError & Record<string, unknown>;
    expect(error).to.be.instanceOf(TypeError).and.to.include({ message: 'Request failed', code: 'ERR_BAD_RESPONSE' });
    expect(error['response']).to.deep.equal({
      status: 503,
      statusText: 'busy',
      headers: { 'retry-after': '1' },
      data: { why: ['load', 2n] },
      config: { url: 'http://localhost/', headers: { accept: '*/*' }, transformRequest: [undefined] },
    });
    expect(error).to.not.have.property('request');
    expect(error).to.not.have.property('toJSON');
  });

  it('arrives whatever hangs on it: circles, worlds of objects, getters and proxies that throw', () => {
    const circle: Record<string, unknown> = { name: 'round', call: () => {} };
    circle['self'] = circle;
    const world = { call: () => {}, rows: Array.from({ length: 100_000 }, (_, i) => ({ i, call: () => {} })) };
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    const rude = {
      fine: 1,
      proxy,
      get broken(): never {
        throw new Error('no');
      },
    };
    const error = decodeValue(encodeValue(Object.assign(new Error('x'), { circle, world, rude }))) as Error & Record<string, unknown>;
    expect(error['circle']).to.deep.equal({ name: 'round' });
    expect(error['rude']).to.deep.equal({ fine: 1 });
    expect((error['world'] as typeof world).rows).to.have.length.within(1, 1000);
  });
});
