/** A small reverse proxy that mounts the server under a sub-path, as one would at home. */
import { createServer, request, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

export interface Proxy {
  readonly origin: string;
  close(): Promise<void>;
}

/** `prefix` ("/jm") is taken away on the way up and told in `X-Forwarded-Prefix`. */
export async function proxy(prefix: string, upstream: string): Promise<Proxy> {
  const target = new URL(upstream);
  const forwarded = (incoming: IncomingMessage) => ({
    host: target.hostname,
    port: target.port,
    method: incoming.method,
    path: incoming.url?.slice(prefix.length) || "/",
    headers: {
      ...incoming.headers,
      "x-forwarded-prefix": prefix,
      "x-forwarded-host": incoming.headers.host ?? "",
      "x-forwarded-proto": "http",
    },
  });
  const isOurs = (incoming: IncomingMessage): boolean => incoming.url === prefix || (incoming.url?.startsWith(`${prefix}/`) ?? false);
  const server = createServer((incoming, outgoing) => {
    if (!isOurs(incoming)) {
      outgoing.writeHead(404).end("outside of the sub-path");
      return;
    }
    const up = request(forwarded(incoming), (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    up.on("error", () => outgoing.destroy());
    incoming.pipe(up);
  });
  server.on("upgrade", (incoming, socket, head) => {
    const up = request(forwarded(incoming));
    up.on("upgrade", (answer, upSocket, upHead) => {
      const lines = Object.entries(answer.headers).map(([name, value]) => `${name}: ${String(value)}`);
      socket.write(["HTTP/1.1 101 Switching Protocols", ...lines, "", ""].join("\r\n"));
      socket.write(upHead);
      upSocket.write(head);
      upSocket.pipe(socket).pipe(upSocket);
      upSocket.on("error", () => socket.destroy());
      socket.on("error", () => upSocket.destroy());
    });
    up.on("response", () => socket.destroy());
    up.on("error", () => socket.destroy());
    up.end();
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}
