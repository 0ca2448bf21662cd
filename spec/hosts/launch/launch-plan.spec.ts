import { expect } from 'chai';
import { launchPlan } from '../../../src/hosts/launch/launch-plan.js';
import { workerSettings } from '../../kit/workers/worker-fixture.js';

const spec = { name: 'planned', key: undefined, cls: class Planned {}, source: undefined, settings: workerSettings, onOutput: () => {} };
const context = { entry: '/entry.js', execArgv: [], env: {}, watchdog: false };

describe('the plan of a launch', () => {
  it('names the program where that is no Node: Bun cannot run worker processes', () => {
    expect(() => launchPlan(spec, { ...context, bun: '1.4.5' })).to.throw('worker processes need Node, and this is Bun 1.4.5');
  });

  it('marks the process as a worker of this one', () => {
    expect(launchPlan(spec, context).env).to.include({ PACKET_TS_WORKER: String(process.pid) });
  });
});
