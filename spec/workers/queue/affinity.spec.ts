import { expect } from 'chai';
import type { Call } from '../../../src/workers/call/call.js';
import { AffinityQueues } from '../../../src/workers/queue/affinity.js';

const calls = (count: number): Call[] => Array.from({ length: count }, () => ({ hasAffinityPlace: false }) as unknown as Call);

describe('calls of one affinity', () => {
  it('go one at a time, each to the home of the one before', () => {
    const queues = new AffinityQueues<string>();
    const [first, second, third] = calls(3) as [Call, Call, Call];
    expect([queues.join(first, 'a'), queues.join(second, 'a'), queues.join(third, 'a')]).to.deep.equal([true, false, false]);
    expect([first, second, third].every(call => call.hasAffinityPlace)).to.equal(true);
    expect(queues.home(second)).to.equal(undefined);
    queues.setHome(first, 'home');
    expect([queues.home(first), queues.home(second)]).to.deep.equal(['home', 'home']);
    expect(queues.leave(first)).to.equal(second);
    expect([first.hasAffinityPlace, queues.home(first), queues.home(second)]).to.deep.equal([false, undefined, 'home']);
    expect(queues.leave(second)).to.equal(third);
    expect(queues.leave(third)).to.equal(undefined);
  });

  it('are passed over once they gave up waiting', () => {
    const queues = new AffinityQueues<string>();
    const [first, second, third] = calls(3) as [Call, Call, Call];
    for (const call of [first, second, third]) queues.join(call, 'a');
    expect(queues.leave(second), 'the first still runs').to.equal(undefined);
    expect(second.hasAffinityPlace).to.equal(false);
    expect(queues.leave(first)).to.equal(third);
    expect(queues.leave(second), 'again').to.equal(undefined);
  });

  it('know nothing of other affinities, nor of those that were all done', () => {
    const queues = new AffinityQueues<string>();
    const [first, other, later, none] = calls(4) as [Call, Call, Call, Call];
    queues.join(first, 'a');
    queues.setHome(first, 'home');
    expect(queues.join(other, 'b')).to.equal(true);
    expect(queues.home(other)).to.equal(undefined);
    queues.leave(first);
    expect(queues.join(later, 'a'), 'the last of them was done').to.equal(true);
    expect(queues.home(later)).to.equal(undefined);
    queues.setHome(none, 'home');
    expect([queues.home(none), queues.leave(none)]).to.deep.equal([undefined, undefined]);
  });
});
