import { expect } from 'chai';
import { bootstrap, Logger, Module } from 'packet-ts';

describe('an application whose module lists nothing', () => {
  it('says so, since its program ends at once', async () => {
    const warnings: unknown[] = [];
    const logger = {
      ...Object.fromEntries(['trace', 'debug', 'info', 'error', 'fatal'].map(level => [level, () => {}])),
      warn: (...parts: unknown[]) => warnings.push(...parts),
      child: () => logger,
      level: 'info',
    } as unknown as Logger;
    @Module({})
    class AppModule {}
    await (await bootstrap(AppModule, { logger, signals: false })).close();
    expect(JSON.stringify(warnings)).to.include('the module lists nothing');
  });
});
