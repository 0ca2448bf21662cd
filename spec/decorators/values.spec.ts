import { expect } from 'chai';
import { exec } from '../../src/decorators/connection/exec.js';
import { discover } from '../../src/decorators/module.js';
import { Transferable } from '../../src/decorators/worker/transferable.js';
import { transferableName, transferableNamed } from '../../src/transferable.js';

describe('exec()', () => {
  it('is a value that nobody can change afterwards', () => {
    const args = ['-f', 'log'];
    const tail = exec('tail', args, { stderr: 'ignore' });
    args.push('more');
    expect(tail).to.deep.equal({ command: 'tail', args: ['-f', 'log'], options: { stderr: 'ignore' } });
    expect(tail).to.be.frozen;
    expect(tail.args).to.be.frozen;
    expect(tail.options).to.be.frozen;
  });

  it('needs neither arguments nor options', () => {
    expect(exec('true')).to.deep.equal({ command: 'true', args: [], options: {} });
  });
});

describe('discover()', () => {
  it('only names the folder: nothing is loaded before bootstrap', () => {
    const folder = new URL('file:///nowhere/');
    expect(discover(folder)).to.deep.equal({ folder });
  });
});

describe('@Transferable', () => {
  it('registers an error class under a name that both processes know', () => {
    @Transferable('values spec: quota')
    class QuotaError extends Error {}
    expect(transferableNamed('values spec: quota')).to.equal(QuotaError);
    expect(transferableName(new QuotaError())).to.equal('values spec: quota');
  });
});
