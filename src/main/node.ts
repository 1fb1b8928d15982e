export async function node(): Promise<number> {
  return 1;
}
