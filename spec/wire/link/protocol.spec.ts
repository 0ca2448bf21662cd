import { expect } from 'chai';
import { CallFlag, Kind, LAST_CALL, OWN_LIMITS, ProfileStep, PROTOCOL_VERSION, UPWARD } from '../../../src/wire/link/protocol.js';

describe('the numbers of the protocol', () => {
  it('are those of version 2: whoever changes one changes the version, for workers of other builds on other machines', () => {
    expect(PROTOCOL_VERSION).to.equal(2);
    expect(Object.keys(Kind).join(' ')).to.equal(
      'BOOT HELLO READY CALL REPLY FAILURE ITEM END CREDIT CANCEL DROPPED EVENT STATUS MAIL MESSAGE PING PONG STOP STRAY NESTED_CALL SOCKET SOCKET_ACK ' +
        'META CONNECTIONS SOCKET_COMMIT SOCKET_CLOSED STOP_LISTENING DRAINED LISTENS LEAVE PUBLISH SUBSCRIBE LOG ENDED PROFILE LOG_LEVEL',
    );
    expect(Object.values(Kind)).to.deep.equal(Object.keys(Kind).map((_, index) => index + 1));
    expect(Object.values(ProfileStep)).to.deep.equal([0, 1, 2, 3, 4, 5]);
    expect(CallFlag).to.deep.equal({ META: 1 << 16, SENDS: 1 << 17 });
  });

  it('leave the upper half of the ids to the calls that workers make', () => {
    expect([LAST_CALL, UPWARD]).to.deep.equal([2 ** 31 - 1, 2 ** 31]);
  });

  it('bound the messages that users do not write by limits of their own', () => {
    expect(Object.fromEntries(OWN_LIMITS)).to.deep.equal({
      [Kind.HELLO]: 1_048_576,
      [Kind.FAILURE]: 262_144,
      [Kind.STRAY]: 262_144,
      [Kind.LOG]: 65_536 + 256,
      [Kind.PROFILE]: 49_152,
    });
  });
});
