/** Settles when the body takes more, or when the signal aborts; leaves no listener on the signal. */
export function drained(body: { onDrain(action: () => void): void }, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const go = () => {
      signal.removeEventListener("abort", go);
      resolve();
    };
    if (signal.aborted) return resolve();
    signal.addEventListener("abort", go, { once: true });
    body.onDrain(go);
  });
}
