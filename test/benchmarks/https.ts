import { connect, type ClientHttp2Session } from "node:http2";

/** A connection of the user of a kubeconfig. */
export function openSession(kubeconfig: string): ClientHttp2Session {
  const field = (name: string) => new RegExp(`${name}: (\\S+)`).exec(kubeconfig)?.[1] ?? "";
  const pem = (name: string) => Buffer.from(field(name), "base64");
  return connect(field("server"), {
    ca: pem("certificate-authority-data"),
    cert: pem("client-certificate-data"),
    key: pem("client-key-data"),
    maxSessionMemory: 256,
  });
}

/** Sends a request and reads its answer away; throws when it is no success. */
export function send(
  session: ClientHttp2Session,
  request: { method?: string; path: string; type?: string; body?: string },
): Promise<void> {
  const { method = "GET", path, type = "application/json", body } = request;
  const content = body === undefined ? {} : { "content-type": type };
  return new Promise((resolve, reject) => {
    const stream = session.request({ ":method": method, ":path": path, ...content });
    stream.once("response", ({ ":status": status = 0 }) => {
      if (status >= 300) reject(new Error(`${method} ${path}: ${status}`));
    });
    stream.once("error", reject);
    stream.once("end", resolve);
    stream.resume();
    stream.end(body);
  });
}
