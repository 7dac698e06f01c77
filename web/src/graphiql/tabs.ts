/** The tabs that GraphiQL opens with; each can be run as it is. */
import type { GraphiQLProps } from "graphiql";

type Tab = NonNullable<GraphiQLProps["defaultTabs"]>[number];

export const RANKING_TAB = `# A ranking with translated tags. Press the button, or Ctrl-Enter.
query RankingWithTags {
  ranking(period: WEEK) {
    total
    entries {
      rank
      album {
        id
        title
        tags {
          name
          match
          translation { namespace raw name }
        }
      }
    }
  }
}
`;

export const START_TAB = `# Starts a download; asked again, it gives the same one. Watch it in the next tab.
mutation StartDownload($input: StartDownloadInput!) {
  startDownload(input: $input) {
    __typename
    ... on Download { id title state progress { pagesDone pagesTotal percent } }
    ... on Error { code message retryable }
  }
}
`;

export const WATCH_TAB = `# Every download of this server, live: start one in the tab before. For a single one there is downloadStatus(id:).
subscription WatchDownloads {
  downloadFeed {
    isSnapshot
    removed
    downloads {
      id
      revision
      title
      state
      progress { pagesDone pagesTotal percent etaSeconds }
      problem { code message }
      file { name url size }
    }
  }
}
`;

export const TRANSLATE_TAB = `# A list of tags as the site spells them, joined to the records of the tag database.
query TranslateTags($names: [String!]!) {
  translateTags(names: $names) {
    name
    match
    translation { id name intro }
    alternatives { id name }
  }
}
`;

export const REST_TAB = `# The old REST calls and the operations that replace them: choose one with the button.

# GET /v1/rank/week
query Rank {
  ranking(period: WEEK) { entries { album { aid: id title } } }
}

# GET /v1/search/{tag}/1
query Search($tag: String!) {
  search(query: $tag) { items { album_id: id title } }
}

# GET /v1/info/{aid}
query Info($aid: String!) {
  album(id: $aid) { tags { name } viewCount likeCount pageCount source }
}

# GET /v1/get/cover/{aid}
query Cover($aid: String!) {
  album(id: $aid) { cover { url width height } }
}

# GET /v1/comments/{aid}?page=1
query Comments($aid: String!) {
  album(id: $aid) {
    comments(page: 1) { page total pageCount items { id author text likes replies { id author text } } }
  }
}

# POST /v1/download/album/{album_id}, its notification, and GET /v1/download/{file_name}
mutation Download($aid: String!) {
  startDownload(input: { albumId: $aid }) {
    ... on Download { id state file { name url } }
    ... on Error { code message }
  }
}

# GET /v1/health
query Health {
  server { version workers queueDepth upstream { method reachable } }
}
`;

/** An album of the demo site; on the real one use any number. */
const ALBUM = "350234";

const shown = (value: unknown): string => JSON.stringify(value, null, 2);

export const TABS: Tab[] = [
  { query: RANKING_TAB },
  { query: START_TAB, variables: shown({ input: { albumId: ALBUM, archive: "CBZ" } }) },
  { query: WATCH_TAB },
  { query: TRANSLATE_TAB, variables: shown({ names: ["全彩", "中文", "狐狸", "眼鏡", "full color"] }) },
  { query: REST_TAB, variables: shown({ aid: ALBUM, tag: "全彩" }) },
];
