import { expect } from 'chai';
import { channel, channelSpecOf } from '../../../src/decorators/injection/channel-token.js';
import { ConfigurationError } from '../../../src/errors.js';

describe('channel()', () => {
  it('returns a class that carries what it was told', () => {
    const News = channel<string>('news', { buffer: 5, overflow: 'unsubscribe', scope: 'mesh' });
    expect(News).to.be.a('function').with.property('name', 'Channel(news)');
    expect(channelSpecOf(News)).to.deep.equal({ name: 'news', buffer: 5, overflow: 'unsubscribe', scope: 'mesh' });
  });

  it('keeps a thousand items, drops the oldest and reaches its process alone, unless told otherwise', () => {
    expect(channelSpecOf(channel('plain'))).to.deep.equal({ name: 'plain', buffer: 1000, overflow: 'dropOldest', scope: 'process' });
  });

  it('makes a token of its own each time, also for the same name', () => {
    expect(channel('twin')).not.to.equal(channel('twin'));
  });

  it('refuses a buffer or overflow that means nothing', () => {
    expect(() => channel('none', { buffer: 0 })).to.throw(ConfigurationError, /channel\('none'\): buffer is 0/);
    expect(() => channel('none', { overflow: 'explode' as 'dropOldest' })).to.throw(ConfigurationError, /'dropOldest' or 'unsubscribe'/);
  });

  it('cannot be constructed: only a container has faces of it', () => {
    const News = channel('news');
    expect(() => new News()).to.throw(ConfigurationError, /inject it/);
  });

  it('is not mistaken for other values', () => {
    for (const value of [undefined, null, 'news', {}, class {}]) expect(channelSpecOf(value)).to.equal(undefined);
  });
});
