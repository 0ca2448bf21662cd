import { expect } from 'chai';
import { BusyPoll } from '../../src/tasks/busy-poll.js';

/** A turn of the event loop, behind everything that waits for it. */
function turn(): Promise<void> {
  return new Promise(resolve => void setImmediate(resolve));
}

/** A process whose clock, calls and processor are scripted. */
class Scene {
  now = 0;
  interruptions = 0;
  asked = 0;
  readonly vigil = new BusyPoll({ now: () => this.now }, () => {
    this.asked++;
    return this.interruptions;
  });

  /** So many calls, each so many milliseconds after the answer to the one before; whether the process was awake when the last one came. */
  async calls(count: number, gap: number, interruptions = 0): Promise<boolean> {
    let awake = false;
    for (let i = 0; i < count; i++) {
      this.vigil.begin(this.now);
      this.now += gap;
      this.interruptions += interruptions;
      await turn();
      awake = this.vigil.awake;
      this.vigil.end(this.now);
      await turn();
    }
    return awake;
  }
}

describe('a worker process that has answered', () => {
  let scene: Scene;
  beforeEach(() => (scene = new Scene()));

  it('sleeps where calls come now and then', async () => {
    expect(await scene.calls(200, 1)).to.equal(false);
    expect(scene.asked).to.equal(0);
  });

  it('stays awake where they come one after the other', async () => {
    expect(await scene.calls(10, 0.08)).to.equal(false);
    expect(await scene.calls(200, 0.04)).to.equal(true);
  });

  it('falls asleep when none comes', async () => {
    await scene.calls(200, 0.04);
    scene.vigil.begin(scene.now);
    await turn();
    expect(scene.vigil.awake).to.equal(true);
    scene.now += 0.06;
    await turn();
    await turn();
    expect(scene.vigil.awake).to.equal(false);
  });

  it('does not stay awake any more where they mostly come later than it waits', async () => {
    await scene.calls(200, 0.04);
    expect(await scene.calls(40, 0.08)).to.equal(false);
    scene.vigil.begin(scene.now);
    expect(scene.vigil.awake).to.equal(false);
  });

  it('sleeps for longer and longer where others want its processor, and looks again', async () => {
    await scene.calls(100, 0.04);
    const share = async (milliseconds: number): Promise<number> => {
      let awake = 0;
      let all = 0;
      for (const end = scene.now + milliseconds; scene.now < end; all++) if (await scene.calls(1, 0.04, 1)) awake++;
      return awake / all;
    };
    await share(100);
    expect(await share(200)).to.be.lessThan(0.1);
    expect(scene.vigil.awake).to.equal(false);
    scene.now += 1000;
    expect(await scene.calls(200, 0.04)).to.equal(true);
  });

  it('forgets what interrupted it long ago, and how long it slept for it', async () => {
    await scene.calls(100, 0.04);
    for (const end = scene.now + 300; scene.now < end;) await scene.calls(1, 0.04, 1);
    scene.now += 10_000;
    scene.interruptions += 1000;
    expect(await scene.calls(64, 0.04)).to.equal(true);
    await scene.calls(33, 0.04, 1);
    scene.now += 10;
    expect(await scene.calls(64, 0.04)).to.equal(true);
  });

  it('puts up with an interruption now and then', async () => {
    await scene.calls(100, 0.04);
    for (let i = 0; i < 10; i++) {
      await scene.calls(1, 0.04, 1);
      expect(await scene.calls(40, 0.04)).to.equal(true);
    }
  });
});
