import { expect } from 'chai';
import { decodeFrame, FrameKind } from '../../src/mesh/link/frames.js';
import { Liveness } from '../../src/mesh/link/liveness.js';
import { MeshStream } from '../../src/mesh/link/mesh-stream.js';
import { Window } from '../../src/mesh/link/window.js';
import { openLink } from '../../src/wire/link/link.js';
import { Kind } from '../../src/wire/link/protocol.js';
import { realClock } from '../../src/clock.js';
import { atEnd, waitFor } from '../kit/index.js';
import { Random } from '../kit/random.js';

/** Two ends of a link over something that loses, and what was lost. */
class Lossy {
  readonly left: MeshStream;
  readonly right: MeshStream;
  isUp = true;
  sent = 0;
  sentBytes = 0;
  now = (): number => realClock.now();
  largest = 0;
  lost = 0;
  readonly closed: (string | undefined)[] = [];

  /** @param loses whether this frame is lost */
  constructor(loses: (frame: Buffer) => boolean, maxFrame = 1024 * 1024) {
    const port = (other: () => MeshStream): ConstructorParameters<typeof MeshStream>[0] => {
      const isUp = (): boolean => this.isUp;
      return {
        get isUp() {
          return isUp();
        },
        maxFrame,
        now: () => this.now(),
        send: frame => {
          this.sent++;
          this.sentBytes += frame.length;
          this.largest = Math.max(this.largest, frame.length);
          if (!this.isUp || loses(frame)) {
            this.lost++;
            return;
          }
          setImmediate(() => other().receive(decodeFrame(frame)!));
        },
        onClosed: why => this.closed.push(why),
      };
    };
    this.left = new MeshStream(
      port(() => this.right),
      { label: 'left', silentAfter: 15, opening: Buffer.from('here') },
    );
    this.right = new MeshStream(
      port(() => this.left),
      { label: 'right', silentAfter: 15 },
    );
    atEnd(() => {
      this.left.destroy();
      this.right.destroy();
    });
  }

  /** One beat of both. */
  beat(): void {
    this.left.beat();
    this.right.beat();
  }
}

/** Goes on as long as anything moves, and then a while. */
async function settled(rig: Lossy): Promise<void> {
  for (let i = 0, before = -1; before !== rig.sent || i < 20; i++) {
    before = rig.sent;
    await new Promise(setImmediate);
  }
}

function collect(stream: MeshStream): { bytes: number; sum: number; isEnded: boolean } {
  const got = { bytes: 0, sum: 0, isEnded: false };
  stream.on('data', (chunk: Buffer) => {
    for (const byte of chunk) got.sum = (got.sum * 31 + byte) >>> 0;
    got.bytes += chunk.length;
  });
  stream.on('end', () => (got.isEnded = true));
  return got;
}

describe('a byte link over a mesh', () => {
  for (const [share, what] of [
    [0, 'nothing'],
    [0.2, 'a fifth of all frames'],
  ] as const) {
    it(`delivers every byte once and in order where ${what} is lost`, async function () {
      this.timeout(20_000);
      const seeded = new Random(7);
      const next = (): number => seeded.next();
      const rig = new Lossy(() => next() < share);
      const got = collect(rig.right);
      let sum = 0;
      let bytes = 0;
      for (let i = 0; i < 200; i++) {
        const chunk = Buffer.alloc(1 + Math.floor(next() * 3_000), i);
        for (const byte of chunk) sum = (sum * 31 + byte) >>> 0;
        bytes += chunk.length;
        rig.left.write(chunk);
      }
      rig.left.end();
      await waitFor(
        () => {
          rig.beat();
          return got.isEnded;
        },
        { within: '15s', what: 'the end' },
      );
      expect(got).to.deep.equal({ bytes, sum, isEnded: true });
    });
  }

  it('holds the writer where the reader does not read, and keeps no more than its window', async () => {
    const rig = new Lossy(() => false);
    let taken = 0;
    const chunk = Buffer.alloc(64 * 1024);
    for (let i = 0; i < 100; i++) rig.left.write(chunk, () => taken++);
    await settled(rig);
    expect(taken * chunk.length).to.be.below(4 * 1024 * 1024);
    const got = collect(rig.right);
    await waitFor(
      () => {
        rig.beat();
        return got.bytes === 100 * chunk.length;
      },
      { what: 'all bytes' },
    );
  });

  it('sends of one large write no more than its window has room for', async () => {
    const rig = new Lossy(() => false);
    rig.left.write(Buffer.alloc(16 * 1024 * 1024));
    await settled(rig);
    // Nothing is read at the other end: what was sent lies there.
    expect(rig.sentBytes).to.be.below(2 * 1024 * 1024);
  });

  it('breaks off a link whose other end ignores the window', () => {
    const rig = new Lossy(() => false);
    const body = Buffer.alloc(32 * 1024);
    for (let seq = 1; seq < 1_000 && !rig.right.destroyed; seq++) rig.right.receive({ kind: FrameKind.DATA, a: seq, b: 0, body });
    expect(rig.right.lost).to.equal('it sent more than it may');
    expect(rig.right.readableLength).to.be.below(4 * 1024 * 1024);
  });

  it('answers a flood of requests to send again once', async () => {
    const rig = new Lossy(frame => frame[0] === FrameKind.DATA);
    rig.left.write(Buffer.alloc(100_000));
    await settled(rig);
    const before = rig.sentBytes;
    rig.now = () => 0;
    for (let i = 0; i < 1_000; i++) rig.left.receive({ kind: FrameKind.AGAIN, a: 0, b: i % 2, body: Buffer.alloc(0) });
    expect(rig.sentBytes - before).to.be.below(110_000);
  });

  it('cuts its frames as small as the mesh takes them', async () => {
    const rig = new Lossy(() => false, 1_000);
    const got = collect(rig.right);
    rig.left.write(Buffer.alloc(10_000));
    await waitFor(() => got.bytes === 10_000, { what: 'all bytes' });
    expect(rig.largest).to.be.at.most(1_000);
  });

  it('lets small calls past a large one, and past what waits behind it', async () => {
    const rig = new Lossy(() => false);
    const arrived: number[] = [];
    const receiver = { onMessage: (_kind: number, id: number) => void arrived.push(id), onClosed() {} };
    const options = { maxMessageSize: 0, callsInAnyOrder: true };
    const [link] = [openLink(rig.left, receiver, options), openLink(rig.right, receiver, options)];
    link.sendValue(Kind.CALL, 1, 0, Buffer.alloc(16 * 1024 * 1024));
    link.flush();
    link.sendValue(Kind.CALL, 2, 0, 'small');
    // Of one mailbox, and perhaps of one affinity: they keep their order.
    link.sendValue(Kind.MAIL, 3, 0, 'small');
    link.sendValue(Kind.META, 4, 0, { affinity: 'a' });
    link.sendValue(Kind.CALL, 4, 0, 'small');
    expect(link.isCongested).to.equal(false);
    await waitFor(
      () => {
        rig.beat();
        return arrived.length === 5;
      },
      { within: '20s', what: 'all' },
    );
    expect(arrived).to.deep.equal([2, 1, 3, 4, 4]);
  });

  it('goes on where it was after an interruption, and loses nothing that was written meanwhile', async () => {
    const rig = new Lossy(() => false);
    const got = collect(rig.right);
    rig.left.write('before ');
    await waitFor(() => got.bytes === 7, { what: 'the first bytes' });
    rig.isUp = false;
    rig.left.write('meanwhile ');
    rig.isUp = true;
    rig.left.resumed();
    rig.right.resumed();
    rig.left.write('after');
    await waitFor(() => got.bytes === 'before meanwhile after'.length, { what: 'the rest' });
    expect(rig.closed).to.deep.equal([]);
  });

  it('is over when the other side breaks it off', async () => {
    const rig = new Lossy(() => false);
    rig.left.write('x');
    collect(rig.right);
    rig.right.destroy();
    await waitFor(() => rig.closed.length === 2, { what: 'both ends to close' });
    expect(rig.left.lost).to.equal('it broke off the link');
  });

  it('takes no garbage for a frame', () => {
    expect(decodeFrame(Buffer.alloc(3))).to.equal(undefined);
    expect(decodeFrame(Buffer.alloc(9, 0xff))).to.equal(undefined);
    expect(decodeFrame(Buffer.alloc(9))!.kind).to.equal(FrameKind.OPEN);
  });
});

describe('the window of a link', () => {
  it('grows while confirmations come as soon as they can, whatever the way takes, and never beyond its most', () => {
    for (const delay of [0.2, 80]) {
      const window = new Window();
      const least = window.bytes;
      for (let i = 0; i < 400; i++) window.onConfirmed(32 * 1024, delay);
      expect(window.bytes).to.equal(Window.most);
      for (let i = 0; i < 400; i++) window.onConfirmed(32 * 1024, delay * 2 + 50);
      expect(window.bytes).to.equal(least);
    }
  });
});

describe('whether the other side of a link lives', () => {
  const beats = (liveness: Liveness, count: number, isActive: boolean): string[] =>
    Array.from({ length: count }, () => liveness.beat(isActive));

  it('is asked at every beat while calls are under way, and given up after so many without an answer', () => {
    const liveness = new Liveness(3);
    expect(beats(liveness, 5, true)).to.deep.equal(['rest', 'ping', 'ping', 'ping', 'silent']);
    liveness.onHeard();
    expect(beats(liveness, 2, true)).to.deep.equal(['rest', 'ping']);
  });

  it('is asked now and then while it has nothing to do', () => {
    const verdicts = beats(new Liveness(100), 10, false);
    expect(verdicts.filter(verdict => verdict === 'ping')).to.have.length(1);
  });

  it('is answered by the mesh when four messages found no receiver, but not soon after an interruption of our own', () => {
    const liveness = new Liveness(100);
    expect([1, 2, 3, 4].map(() => liveness.onNoReceiver())).to.deep.equal([false, false, false, true]);
    liveness.onResumed();
    expect([1, 2, 3, 4, 5].map(() => liveness.onNoReceiver())).to.not.include(true);
    beats(liveness, 60, true);
    expect(liveness.onNoReceiver()).to.equal(true);
  });
});
