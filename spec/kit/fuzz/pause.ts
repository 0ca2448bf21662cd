/** What a slow handler does: it takes a while, or until its client is gone. */
export function pause(signal?: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const timer = setTimeout(resolve, 20);
    const leave = (): void => {
      clearTimeout(timer);
      resolve();
    };
    signal?.addEventListener('abort', leave, { once: true });
  });
}
