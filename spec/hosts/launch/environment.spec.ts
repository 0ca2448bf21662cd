import { expect } from 'chai';
import { childEnvironment } from '../../../src/hosts/launch/environment.js';

const parent = { PATH: '/bin', HOME: '/home/a', SECRET: 'x', NODE_OPTIONS: '--import tsx --inspect=0' };

describe('the environment of a worker process', () => {
  it('is the parent’s, with NODE_OPTIONS cleared of what is the parent’s own business', () => {
    const { env, flags } = childEnvironment(undefined, undefined, parent);
    expect(env).to.deep.equal({ ...parent, NODE_OPTIONS: '--import tsx' });
    expect(flags).to.deep.equal([]);
  });

  it('has no NODE_OPTIONS when nothing of it is left', () => {
    expect(childEnvironment(undefined, undefined, { NODE_OPTIONS: '--inspect' }).env).to.deep.equal({});
  });

  it('is what is listed and the few that programs need, when one is listed; loaders then come as flags', () => {
    const { env, flags } = childEnvironment({ TOKEN: 't', HOME: undefined }, undefined, parent);
    expect(env).to.deep.equal({ PATH: '/bin', TOKEN: 't' });
    expect(flags).to.deep.equal(['--import', 'tsx']);
  });

  it('keeps a NODE_OPTIONS that is listed, and then adds nothing to it', () => {
    const { env, flags } = childEnvironment({ NODE_OPTIONS: '-r x' }, undefined, parent);
    expect(env['NODE_OPTIONS']).to.equal('-r x');
    expect(flags).to.deep.equal([]);
  });

  it('names another user and its home, unless it is listed', () => {
    expect(childEnvironment(undefined, 0, parent).env).to.include({ HOME: '/root', USER: 'root', LOGNAME: 'root' });
    expect(childEnvironment({ HOME: '/srv' }, 0, parent).env).to.include({ HOME: '/srv', USER: 'root' });
    expect(childEnvironment(undefined, 4_000_000, parent).env).to.include({ HOME: '/', USER: '4000000' });
  });
});
