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

/** Asks for a document and answers its text; throws when it is no success. */
export function fetchText(
  session: ClientHttp2Session,
  { path, accept = "application/json" }: { readonly path: string; readonly accept?: string },
): Promise<string> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ":path": path, accept });
    let text = "";
    stream.setEncoding("utf8");
    stream.once("response", ({ ":status": status = 0 }) => {
      if (status >= 300) reject(new Error(`GET ${path}: ${status}`));
    });
    stream.on("data", (chunk: string) => (text += chunk));
    stream.once("error", reject);
    stream.once("end", () => resolve(text));
    stream.end();
  });
}
