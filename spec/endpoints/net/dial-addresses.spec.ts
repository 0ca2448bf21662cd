import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { expect } from 'chai';
import { dialAddresses } from '../../../src/endpoints/net/dial-addresses.js';
import { waitFor } from '../../kit/index.js';

/** A socket that connects or fails when the spec says so. */
class Attempt extends EventEmitter {
  readonly address: string;
  destroyed = false;

  constructor(address: string) {
    super();
    this.address = address;
  }

  destroy(): void {
    this.destroyed = true;
  }
}

describe('dialling a name with several addresses', () => {
  const dial = (...addresses: readonly string[]) => {
    const attempts: Attempt[] = [];
    const outcome: { socket?: unknown; errors?: readonly Error[] } = {};
    const stop = dialAddresses(
      addresses.map(address => ({ address, family: address.includes(':') ? 6 : 4 })),
      ({ address }) => {
        const attempt = new Attempt(address);
        attempts.push(attempt);
        // Cast: what is asked of a socket is there.
        return attempt as unknown as Socket;
      },
      { onConnected: socket => (outcome.socket = socket), onFailed: errors => (outcome.errors = errors) },
    );
    return { attempts, outcome, stop };
  };
  const named = (attempts: readonly Attempt[]): string[] => attempts.map(({ address }) => address);

  it('does not give up a slow one when the others fail: it may still connect', async () => {
    const { attempts, outcome } = dial('10.0.0.1', '10.0.0.2');
    await waitFor(() => attempts.length === 2);
    attempts[1]!.emit('error', new Error('refused'));
    expect([outcome, attempts[0]!.destroyed]).to.deep.equal([{}, false]);
    attempts[0]!.emit('connect');
    expect(outcome).to.deep.equal({ socket: attempts[0] });
  });

  it('tries the next one at once when one fails, and the first that connects closes the others', async () => {
    const { attempts, outcome } = dial('10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4');
    attempts[0]!.emit('error', new Error('refused'));
    expect(named(attempts)).to.deep.equal(['10.0.0.1', '10.0.0.2']);
    await waitFor(() => attempts.length === 3);
    attempts[2]!.emit('connect');
    expect(outcome.socket).to.equal(attempts[2]);
    expect(attempts.map(({ destroyed }) => destroyed)).to.deep.equal([false, true, false]);
    expect(attempts[2]!.listenerCount('error'), 'listeners left on the one that was taken').to.equal(0);
    attempts[1]!.emit('error', new Error('closed'));
    expect(named(attempts)).to.have.length(3);
  });

  it('has failed when all have, with what each said', () => {
    const { attempts, outcome } = dial('10.0.0.1', '10.0.0.2');
    attempts[0]!.emit('error', new Error('one'));
    expect(outcome.errors).to.equal(undefined);
    attempts[1]!.emit('error', new Error('two'));
    expect(outcome.errors!.map(({ message }) => message)).to.deep.equal(['one', 'two']);
  });

  it('lets the families take turns', () => {
    const { attempts, stop } = dial('2001:db8::1', '2001:db8::2', '2001:db8::3', '10.0.0.1', '10.0.0.2');
    for (let i = 0; i < 4; i++) attempts.at(-1)!.emit('error', new Error('no route'));
    expect(named(attempts)).to.deep.equal(['2001:db8::1', '10.0.0.1', '2001:db8::2', '10.0.0.2', '2001:db8::3']);
    stop();
  });

  it('cancelled, closes all and tells nothing', async () => {
    const { attempts, outcome, stop } = dial('10.0.0.1', '10.0.0.2', '10.0.0.3');
    await waitFor(() => attempts.length === 2);
    stop();
    for (const attempt of attempts) attempt.emit('error', new Error('closed'));
    expect(attempts.every(({ destroyed }) => destroyed)).to.equal(true);
    expect([named(attempts).length, outcome]).to.deep.equal([2, {}]);
  });

  it('that nobody has any address for has failed', () => {
    expect(dial().outcome.errors).to.deep.equal([]);
  });
});
