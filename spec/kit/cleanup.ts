/** Things that tests start and that must end even when the test fails: those of a test after it, those of a suite after that. */
export type Cleanup = () => unknown;

const ofTest = new Set<Cleanup>();
const ofSuite = new Set<Cleanup>();
let inTest = false;

/** Runs `cleanup` after the current test, or after the suite when none runs (a `before` hook). Returns a way to take it back. */
export function atEnd(cleanup: Cleanup): () => void {
  const list = inTest ? ofTest : ofSuite;
  list.add(cleanup);
  return () => void list.delete(cleanup);
}

async function run(list: Set<Cleanup>): Promise<void> {
  const all = [...list].reverse();
  list.clear();
  for (const cleanup of all) await cleanup();
}

/** For the root hooks only. */
export const cleanups = {
  testBegins(): void {
    inTest = true;
  },
  async testEnds(): Promise<void> {
    inTest = false;
    await run(ofTest);
  },
  suiteEnds(): Promise<void> {
    return run(ofSuite);
  },
};
