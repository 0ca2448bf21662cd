/** Whether an `Origin` is that of the host asked for. Compared as browsers write it: without the port that the scheme has anyway. */
export function isSameHost(origin: string, host: string): boolean {
  try {
    const { protocol, host: of } = new URL(origin);
    return of === new URL(`${protocol}//${host}`).host;
  } catch {
    return false;
  }
}
