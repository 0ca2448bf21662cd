import { scrapeUnderKills } from '../metrics/scrapes.js';

describe('metrics, scraped during a hundred random kills', () => {
  it('only grow, and their sum is the number of calls made', async function () {
    this.timeout(300_000);
    await scrapeUnderKills(100, Date.now() % 1e6);
  });
});
