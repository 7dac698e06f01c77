/** urql: the week's ranking, then the download of its first album with its progress. Run: node dist/download.js URL */
import { cacheExchange, Client, fetchExchange } from "@urql/core";
import { DownloadStatusDocument, type ErrorDetailsFragment, RankingDocument, StartDownloadDocument, type StartDownloadMutation } from "jmgraph-client";
import { toAsyncIterable } from "wonka";

const base = process.argv[2] ?? "http://127.0.0.1:11111";

const client = new Client({
  url: `${base}/graphql`,
  exchanges: [cacheExchange, fetchExchange],
  preferGetMethod: false,
  fetchSubscriptions: true, // over server-sent events; graphql-ws is the other way
});

/** What to tell a person about each result; a member that the schema adds later does not compile. */
export function described(result: StartDownloadMutation["startDownload"]): string {
  switch (result.__typename) {
    case "Download":
      return `${result.state}: ${result.title}`;
    case "AlbumNotFound":
      return `There is no album ${result.albumId}.`;
    case "InvalidInput":
      return `Check ${result.field}: ${result.message}`;
    case "BlockedByPolicy":
      return `This server withholds albums with: ${result.tags.join(", ")}`;
    case "QueueRejected":
      return `Not now: ${result.message}${again(result)}`;
    case "UpstreamFailure":
      return `The site can't be read (${result.reason}).${again(result)}`;
    default:
      return result satisfies never;
  }
}

function again(error: ErrorDetailsFragment): string {
  if (!error.retryable) return "";
  return error.retryAfter ? ` Try again in ${error.retryAfter} s.` : " Try again later.";
}

async function start(albumId: string): Promise<StartDownloadMutation["startDownload"]> {
  const { data, error } = await client.mutation(StartDownloadDocument, { input: { albumId } });
  if (!data) throw error ?? new Error("no answer"); // the request itself failed: error.graphQLErrors[0].extensions.code
  return data.startDownload;
}

const { data, error } = await client.query(RankingDocument, {});
if (!data) throw error;
for (const { rank, album } of data.ranking.entries.slice(0, 3)) console.log(`${rank}. ${album.title}`);

for (const wrong of ["no number", "999999999"]) console.log(described(await start(wrong)));

const started = await start(data.ranking.entries[0]!.album.id);
console.log(described(started));
if (started.__typename === "Download") {
  const updates = client.subscription(DownloadStatusDocument, { id: started.id }); // completes when the download has ended
  for await (const { data, error } of toAsyncIterable(updates)) {
    if (!data) throw error;
    const { state, progress, file } = data.downloadStatus;
    console.log(file ? file.url : `${state} ${Math.round(progress.percent)} %`);
  }
}
