export async function sweepNode(_: unknown): Promise<void> {}
