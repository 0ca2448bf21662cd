/** Makes calls, a few at once, until it is told to stop; what became of each. */
export function makeCalls(
  call: (id: string) => Promise<string>,
  width = 32,
): { stop(): Promise<{ done: string[]; failed: Map<string, Error> }> } {
  const done: string[] = [];
  const failed = new Map<string, Error>();
  let isOn = true;
  let next = 0;
  const run = async (): Promise<void> => {
    while (isOn) {
      const id = `c${next++}`;
      try {
        done.push(await call(id));
      } catch (error) {
        failed.set(id, error as Error);
      }
    }
  };
  const runners = Array.from({ length: width }, run);
  return {
    async stop() {
      isOn = false;
      await Promise.all(runners);
      return { done, failed };
    },
  };
}
