/** A small reverse proxy that mounts the server under a sub-path. */
import { createServer, request, type IncomingMessage } from "node:http";
import type { AddressInfo, Socket } from "node:net";

export interface Proxy {
  readonly origin: string;
  close(): Promise<void>;
}

/** `prefix` ("/jm") is removed from the path and sent as `X-Forwarded-Prefix`. `port` 0: any free one. */
export async function proxy(prefix: string, upstream: string, port = 0): Promise<Proxy> {
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
  const open = new Set<Socket>();
  server.on("connection", (socket) => {
    open.add(socket);
    socket.on("close", () => open.delete(socket));
  });
  await new Promise<void>((done) => server.listen(port, "127.0.0.1", done));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        // WebSockets too, which the server itself no longer counts as connections of its own.
        for (const socket of open) socket.destroy();
      }),
  };
}
