/** The client that drives every contender alike: one promise a call, a fixed number of them in flight. */
export async function drive(call: () => Promise<unknown>, inFlight: number, ms: number): Promise<number> {
  let done = 0;
  const begin = performance.now();
  const end = begin + ms;
  const lane = async (): Promise<void> => {
    while (performance.now() < end) {
      await call();
      done += 1;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  return (done * 1000) / (performance.now() - begin);
}
