/** Settles at the first signal to end; later ones end the process at once. */
export function untilTerminated(): Promise<void> {
  return new Promise((resolve) => {
    // A timer keeps the process alive even when nothing else does.
    const alive = setInterval(() => undefined, 2 ** 30);
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      process.once(signal, () => {
        clearInterval(alive);
        resolve();
      });
    }
  });
}
