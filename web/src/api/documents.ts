/** Every GraphQL operation of the page. Lists select only what the site's lists contain: one upstream call each. */

const LINE = /* GraphQL */ `
  fragment Line on Album { id title cover { url(size: THUMBNAIL) width height placeholder } }
`;

const NAMED_TAG = /* GraphQL */ `
  fragment NamedTag on AlbumTag {
    name kind match
    translation { id namespace raw name }
    alternatives { id namespace raw name }
  }
`;

const DOWNLOAD = /* GraphQL */ `
  fragment DownloadLine on Download {
    id revision albumId title state archive image requestedAt expiresAt
    progress { pagesDone pagesTotal bytesDone percent etaSeconds }
    problem { code message retryable reason missingPages }
    file { name url size sha256 }
  }
`;

export const RANKING = /* GraphQL */ `
  query Ranking($period: Period!, $orderBy: AlbumOrder!, $category: Category!, $page: Int!) {
    ranking(period: $period, orderBy: $orderBy, category: $category, page: $page) {
      total hasNextPage page fetchedAt
      entries { rank album { ...Line } }
    }
  }
  ${LINE}
`;

export const SEARCH = /* GraphQL */ `
  query Search($query: String!, $page: Int!, $orderBy: AlbumOrder!, $period: Period!, $field: SearchField!) {
    search(query: $query, page: $page, orderBy: $orderBy, period: $period, field: $field) {
      page pageCount total
      items { ...Line }
    }
  }
  ${LINE}
`;

export const OTHER_SPELLINGS = /* GraphQL */ `
  query OtherSpellings($text: String!) { otherSpellings(text: $text) }
`;

export const ALBUM = /* GraphQL */ `
  query Album($id: String!) {
    album(id: $id) {
      id title url description pageCount viewCount likeCount commentCount publishedOn updatedOn source
      cover { url width height placeholder }
      authors { ...NamedTag } works { ...NamedTag } characters { ...NamedTag } tags { ...NamedTag }
      chapters { id index title }
      downloads { ...DownloadLine }
    }
  }
  ${NAMED_TAG}
  ${DOWNLOAD}
`;

export const RELATED = /* GraphQL */ `
  query Related($id: String!) { album(id: $id) { id related { ...Line } } }
  ${LINE}
`;

export const COMMENTS = /* GraphQL */ `
  query Comments($id: String!, $page: Int!) {
    album(id: $id) {
      id
      comments(page: $page) {
        page pageCount total
        items { id author text isSpoiler postedAt likes replies { id author text isSpoiler postedAt likes } }
      }
    }
  }
`;

export const READER = /* GraphQL */ `
  query Reader($id: String!, $chapter: ID!) {
    album(id: $id) { id title chapters { id index title } }
    chapter(id: $chapter) { id index title pages { index url } }
  }
`;

export const TAGS = /* GraphQL */ `
  query Tags($filter: TagFilter, $first: Int!, $after: String) {
    tags(filter: $filter, first: $first, after: $after) {
      totalCount
      pageInfo { hasNextPage endCursor }
      edges { node { id namespace raw name } matched { text field start length } }
    }
  }
`;

export const TAG_CARD = /* GraphQL */ `
  query TagCard($namespace: TagNamespace!, $raw: String!) {
    tag(namespace: $namespace, raw: $raw) { id namespace raw name intro(format: HTML) links(format: HTML) }
  }
`;

export const TAG = /* GraphQL */ `
  query Tag($namespace: TagNamespace!, $raw: String!) {
    tag(namespace: $namespace, raw: $raw) {
      id namespace raw name ast
      nameRaw: name(format: RAW) introRaw: intro(format: RAW) linksRaw: links(format: RAW)
      introText: intro linksText: links
      nameHtml: name(format: HTML) introHtml: intro(format: HTML) linksHtml: links(format: HTML)
    }
  }
`;

export const TAG_ALBUMS = /* GraphQL */ `
  query TagAlbums($namespace: TagNamespace!, $raw: String!, $page: Int!) {
    tag(namespace: $namespace, raw: $raw) {
      id
      albums(page: $page) { page pageCount total items { ...Line } }
    }
  }
  ${LINE}
`;

export const EHTAG = /* GraphQL */ `
  query EhTag {
    ehtag {
      repo version tagCount isStarter lastCheckedAt lastError
      head { sha message committedAt }
      namespaces { namespace name description count }
    }
  }
`;

export const EHTAG_UPDATED = /* GraphQL */ `
  subscription EhTagUpdated { ehtagUpdated { head { sha } } }
`;

export const SERVER = /* GraphQL */ `
  query Server {
    server {
      version queueDepth activeDownloads workers
      upstream { method reachable checkedAt hosts { url role healthy latencyMs reason } }
    }
  }
`;

/** For the words about missing pages. */
export const CHAPTER_LENGTH = /* GraphQL */ `
  query ChapterLength($id: String!, $chapter: ID!) {
    album(id: $id) { id chapters { id } }
    chapter(id: $chapter) { id index pageCount }
  }
`;

export const DOWNLOADS = /* GraphQL */ `
  query Downloads { downloads(first: 50) { pageInfo { hasNextPage } nodes { ...DownloadLine } } }
  ${DOWNLOAD}
`;

export const DOWNLOAD_FEED = /* GraphQL */ `
  subscription DownloadFeed { downloadFeed { isSnapshot removed downloads { ...DownloadLine } } }
  ${DOWNLOAD}
`;

export const START_DOWNLOAD = /* GraphQL */ `
  mutation StartDownload($input: StartDownloadInput!) {
    startDownload(input: $input) {
      __typename
      ...DownloadLine
      ... on Error { code message retryable }
      ... on QueueRejected { retryAfter }
      ... on UpstreamFailure { reason retryAfter }
    }
  }
  ${DOWNLOAD}
`;

export const CANCEL_DOWNLOAD = /* GraphQL */ `
  mutation CancelDownload($id: ID!) {
    result: cancelDownload(id: $id) { __typename ...DownloadLine ... on Error { code message retryable } }
  }
  ${DOWNLOAD}
`;

export const RETRY_DOWNLOAD = /* GraphQL */ `
  mutation RetryDownload($id: ID!) {
    result: retryDownload(id: $id) { __typename ...DownloadLine ... on Error { code message retryable } }
  }
  ${DOWNLOAD}
`;

export const REMOVE_DOWNLOAD = /* GraphQL */ `
  mutation RemoveDownload($id: ID!) {
    result: removeDownload(id: $id) {
      __typename
      ... on RemovedDownload { id }
      ... on Error { code message retryable }
    }
  }
`;

export const RETRY_FAILED = /* GraphQL */ `
  mutation RetryFailed { retryFailedDownloads { ...DownloadLine } }
  ${DOWNLOAD}
`;
