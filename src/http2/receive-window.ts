/** How much a peer may still send, of one stream or of all. */
export class ReceiveWindow {
  private readonly limit: number;
  private left: number;
  private credit = 0;

  constructor(limit: number) {
    this.limit = limit;
    this.left = limit;
  }

  /** So many bytes came; false: they were too many. */
  take(bytes: number): boolean {
    this.left -= bytes;
    return this.left >= 0;
  }

  /** So many bytes were read: answers by how much the window is to be opened now, which is rarely worth a frame. */
  give(bytes: number): number {
    this.credit += bytes;
    const { credit } = this;
    if (credit * 2 < this.limit) return 0;
    this.left += credit;
    this.credit = 0;
    return credit;
  }
}
