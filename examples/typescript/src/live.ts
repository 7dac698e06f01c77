/**
 * jmgraph-client: eight downloads watched at once, all on one connection. Run: node dist/live.js URL sse|websocket
 * (With one connection each, a browser would stop at the sixth over HTTP/1.)
 */
import { createClient, DownloadStatusDocument, RankingDocument, StartDownloadDocument } from "jmgraph-client";

const client = createClient({
  url: process.argv[2] ?? "http://127.0.0.1:11111",
  transport: process.argv[3] === "websocket" ? "websocket" : "sse",
  token: () => process.env["JMGRAPH_TOKEN"],
  webSocketImpl: (globalThis as { WebSocket?: unknown }).WebSocket ?? (await import("ws")).WebSocket, // Node before 22
});

async function follow(id: string): Promise<string> {
  let state = "";
  for await (const { downloadStatus } of client.subscribe(DownloadStatusDocument, { id })) state = downloadStatus.state;
  return state; // a subscription completes once its download has ended
}

const { ranking } = await client.execute(RankingDocument, {});
const watched: Promise<string>[] = [];
for (const { album } of ranking.entries.slice(0, 8)) {
  const { startDownload } = await client.execute(StartDownloadDocument, { input: { albumId: album.id } });
  if (startDownload.__typename === "Download") watched.push(follow(startDownload.id));
}
console.log((await Promise.all(watched)).join(" "));
client.dispose();
