import { Duplex } from "node:stream";
import { AuthorityMender } from "./authority.ts";

/** A connection of HTTP/2 whose client may name an authority that Node.js would refuse. */
export class MendedConnection extends Duplex {
  readonly inner: Duplex;

  constructor(inner: Duplex) {
    super({ allowHalfOpen: true });
    this.inner = inner;
    const mender = new AuthorityMender();
    inner.on("data", (chunk: Buffer) => {
      const mended = mender.mend(chunk);
      if (mended.length > 0 && !this.push(mended)) inner.pause();
    });
    inner.on("end", () => this.push(null));
    inner.on("close", () => this.destroy());
    inner.on("error", (error) => this.destroy(error));
  }

  override _read(): void {
    this.inner.resume();
  }

  override _write(chunk: Buffer, encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.inner.write(chunk, encoding, done);
  }

  override _writev(
    chunks: { readonly chunk: Buffer; readonly encoding: BufferEncoding }[],
    done: (error?: Error | null) => void,
  ): void {
    this.inner.write(Buffer.concat(chunks.map(({ chunk }) => chunk)), done);
  }

  override _final(done: () => void): void {
    this.inner.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.inner.destroy();
    done(error);
  }
}
