/** Every GraphQL operation of the page. Lists select only what the site's lists contain: one upstream call each. */

/**
 * `$me`: for a person, with what is theirs; the answer is then for them alone. `$script` is that of titles, by the
 * reader's choice: `useQuery` fills it in.
 */
const LINE = /* GraphQL */ `
  fragment Line on Album {
    id title(script: $script) category cover { url(size: THUMBNAIL) width height placeholder }
    known { authors pageCount viewCount likeCount updatedOn }
    progress @include(if: $me) { page pageCount isFinished chapter { id index } }
  }
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
    id revision albumId title state archive image requestedAt expiresAt isKept
    progress { pagesDone pagesTotal bytesDone percent etaSeconds }
    problem { code message retryable reason missingPages }
    file { name url size sha256 }
    files { name url size }
  }
`;

export const RANKING = /* GraphQL */ `
  query Ranking($script: ChineseScript, $period: Period!, $orderBy: AlbumOrder!, $category: Category!, $page: Int!, $me: Boolean!) {
    ranking(period: $period, orderBy: $orderBy, category: $category, page: $page) {
      total hasNextPage page fetchedAt
      entries { rank album { ...Line } }
    }
  }
  ${LINE}
`;

/** While a number is typed. */
export const ALBUM_TITLE = /* GraphQL */ `
  query AlbumTitle($script: ChineseScript, $id: String!) { album(id: $id) { id title(script: $script) } }
`;

/** While a word is typed; `searchText` finds a tag's albums on the site. */
export const SUGGESTED_TAGS = /* GraphQL */ `
  query SuggestedTags($query: String!, $first: Int!) {
    tags(filter: { query: $query }, first: $first) { edges { node { id namespace raw name searchText } } }
  }
`;

/** To choose any album of the site. */
export const RANDOM = /* GraphQL */ `
  query Random($page: Int!) { ranking(period: ALL, page: $page) { pageCount entries { album { id } } } }
`;

export const SEARCH = /* GraphQL */ `
  query Search($script: ChineseScript, $query: String!, $page: Int!, $orderBy: AlbumOrder!, $period: Period!, $field: SearchField!, $category: Category!, $me: Boolean!) {
    search(query: $query, page: $page, orderBy: $orderBy, period: $period, field: $field, category: $category) {
      page pageCount total
      items { ...Line }
    }
  }
  ${LINE}
`;

/** Which albums of a list are favourites at the site. */
export const RANKING_HEARTS = /* GraphQL */ `
  query RankingHearts($period: Period!, $orderBy: AlbumOrder!, $category: Category!, $page: Int!) {
    list: ranking(period: $period, orderBy: $orderBy, category: $category, page: $page) {
      lines: entries { album { id isSiteFavorite } }
    }
  }
`;

export const SEARCH_HEARTS = /* GraphQL */ `
  query SearchHearts($query: String!, $page: Int!, $orderBy: AlbumOrder!, $period: Period!, $field: SearchField!, $category: Category!) {
    list: search(query: $query, page: $page, orderBy: $orderBy, period: $period, field: $field, category: $category) {
      lines: items { id isSiteFavorite }
    }
  }
`;

export const TAG_HEARTS = /* GraphQL */ `
  query TagHearts($namespace: TagNamespace!, $raw: String!, $page: Int!) {
    tag(namespace: $namespace, raw: $raw) { id list: albums(page: $page) { lines: items { id isSiteFavorite } } }
  }
`;

export const RELATED_HEARTS = /* GraphQL */ `
  query RelatedHearts($id: String!) { list: album(id: $id) { id lines: related { id isSiteFavorite } } }
`;

export const OTHER_SPELLINGS = /* GraphQL */ `
  query OtherSpellings($text: String!) { otherSpellings(text: $text) }
`;

export const ALBUM = /* GraphQL */ `
  query Album($script: ChineseScript, $id: String!, $me: Boolean!, $atSite: Boolean!) {
    album(id: $id) {
      id title(script: $script) url description pageCount viewCount likeCount commentCount publishedOn updatedOn source
      cover { url width height placeholder }
      authors { ...NamedTag } works { ...NamedTag } characters { ...NamedTag } tags { ...NamedTag }
      isSiteFavorite @include(if: $atSite)
      progress @include(if: $me) { page pageCount isFinished chapter { id index } }
      libraryEntry @include(if: $me) { autoDownload notify lastError newChapters { id } }
      chapters { id index title(script: $script) progress @include(if: $me) { page pageCount isFinished readAt } }
      downloads { ...DownloadLine }
    }
  }
  ${NAMED_TAG}
  ${DOWNLOAD}
`;

export const RELATED = /* GraphQL */ `
  query Related($script: ChineseScript, $id: String!, $me: Boolean!) { album(id: $id) { id related { ...Line } } }
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
  query Reader($script: ChineseScript, $id: String!, $chapter: ID!) {
    album(id: $id) { id title(script: $script) chapters { id index title(script: $script) } }
    chapter(id: $chapter) { id index title(script: $script) pages { index url } }
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

/** The tags that the server has seen most often, of each namespace. */
export const FREQUENT_TAGS = /* GraphQL */ `
  query FrequentTags($first: Int!) { frequentTags(first: $first) { albumCount tag { id namespace raw name } } }
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
  query TagAlbums($script: ChineseScript, $namespace: TagNamespace!, $raw: String!, $page: Int!, $me: Boolean!) {
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

export const START_DOWNLOADS = /* GraphQL */ `
  mutation StartDownloads($inputs: [StartDownloadInput!]!) {
    startDownloads(inputs: $inputs) {
      __typename
      ...DownloadLine
      ... on Error { code message retryable }
      ... on QueueRejected { retryAfter }
      ... on UpstreamFailure { reason retryAfter }
    }
  }
  ${DOWNLOAD}
`;

/** Numbers of the albums of one page of a search, and of a folder of favourites. */
export const SEARCH_IDS = /* GraphQL */ `
  query SearchIds($query: String!, $page: Int!, $orderBy: AlbumOrder!, $period: Period!, $field: SearchField!, $category: Category!) {
    search(query: $query, page: $page, orderBy: $orderBy, period: $period, field: $field, category: $category) { pageCount items { id } }
  }
`;

export const FAVORITE_IDS = /* GraphQL */ `
  query FavoriteIds($folder: ID!, $orderBy: FavoriteOrder!, $page: Int!) {
    viewer { siteAccount { favorites(folderId: $folder, orderBy: $orderBy, page: $page) { pageCount items { id } } } }
  }
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

export const VIEWER = /* GraphQL */ `
  query Viewer { viewer { user { id name isAdmin } siteAccount { username state } } }
`;

/** Whether a guest may read here. */
export const MAY_READ = /* GraphQL */ `
  query MayRead { server { version } }
`;

export const LOGIN = /* GraphQL */ `
  mutation Login($input: LoginInput!) {
    result: login(input: $input) { __typename ... on Session { user { id name isAdmin } } ... on Error { code message retryable retryAfter } }
  }
`;

export const LOGOUT = /* GraphQL */ `
  mutation Logout { result: logout }
`;

export const CONNECT_SITE = /* GraphQL */ `
  mutation ConnectSite($input: SiteLoginInput!) {
    result: connectSiteAccount(input: $input) {
      __typename ... on SiteAccount { username state } ... on Error { code message retryable retryAfter } ... on UpstreamFailure { reason }
    }
  }
`;

export const DISCONNECT_SITE = /* GraphQL */ `
  mutation DisconnectSite { result: disconnectSiteAccount }
`;

export const ACCOUNT = /* GraphQL */ `
  query Account { viewer { accessTokens { id label scope createdAt lastUsedAt } users { id name isAdmin } } }
`;

export const CREATE_TOKEN = /* GraphQL */ `
  mutation CreateToken($input: CreateAccessTokenInput!) {
    result: createAccessToken(input: $input) { __typename ... on CreatedAccessToken { id token } ... on Error { code message retryable retryAfter } }
  }
`;

export const REVOKE_TOKEN = /* GraphQL */ `
  mutation RevokeToken($id: ID!) {
    result: revokeAccessToken(id: $id) { __typename ... on Error { code message retryable retryAfter } }
  }
`;

export const CHANGE_PASSWORD = /* GraphQL */ `
  mutation ChangePassword($input: ChangePasswordInput!) {
    result: changePassword(input: $input) { __typename ... on Error { code message retryable retryAfter } }
  }
`;

export const CREATE_USER = /* GraphQL */ `
  mutation CreateUser($input: CreateUserInput!) {
    result: createUser(input: $input) { __typename ... on Error { code message retryable retryAfter } }
  }
`;

export const REMOVE_USER = /* GraphQL */ `
  mutation RemoveUser($id: ID!) {
    result: removeUser(id: $id) { __typename ... on Error { code message retryable retryAfter } }
  }
`;

export const FAVORITES = /* GraphQL */ `
  query Favorites($script: ChineseScript, $folder: ID!, $orderBy: FavoriteOrder!, $page: Int!, $me: Boolean!) {
    viewer {
      siteAccount {
        username state
        folders { id name }
        favorites(folderId: $folder, orderBy: $orderBy, page: $page) { page pageCount total items { ...Line } }
      }
    }
  }
  ${LINE}
`;

export const SET_FAVORITE = /* GraphQL */ `
  mutation SetFavorite($albumId: ID!, $isFavorite: Boolean!) {
    result: setSiteFavorite(albumId: $albumId, isFavorite: $isFavorite) {
      __typename
      ... on SiteFavorite { isFavorite album { id isSiteFavorite } }
      ... on Error { code message retryable retryAfter }
      ... on UpstreamFailure { reason }
    }
  }
`;

const PROGRESS = /* GraphQL */ `
  fragment Progress on ReadingProgress {
    page pageCount isFinished readAt
    album { ...Line }
    chapter { id index title(script: $script) }
  }
  ${LINE}
`;

export const CONTINUE = /* GraphQL */ `
  query Continue($script: ChineseScript, $me: Boolean!) { viewer { continueReading(first: 12) { ...Progress } } }
  ${PROGRESS}
`;

export const HISTORY = /* GraphQL */ `
  query History($script: ChineseScript, $first: Int!, $after: String, $me: Boolean!) {
    viewer { history(first: $first, after: $after) { totalCount pageInfo { hasNextPage endCursor } nodes { ...Progress } } }
  }
  ${PROGRESS}
`;

export const READ_ALBUMS = /* GraphQL */ `
  query ReadAlbums($after: String) {
    viewer { history(first: 100, after: $after) { pageInfo { hasNextPage endCursor } nodes { album { id } } } }
  }
`;

export const DELETE_HISTORY = /* GraphQL */ `
  mutation DeleteHistory($albumIds: [ID!]) { result: deleteHistory(albumIds: $albumIds) }
`;

export const SET_PROGRESS = /* GraphQL */ `
  mutation SetProgress($input: SetReadingProgressInput!) {
    result: setReadingProgress(input: $input) {
      __typename
      ... on ReadingProgress { page pageCount isFinished album { id } chapter { id } }
      ... on Error { code message retryable retryAfter }
    }
  }
`;

export const SET_CHAPTERS_READ = /* GraphQL */ `
  mutation SetChaptersRead($albumId: ID!, $chapterIds: [ID!], $isRead: Boolean!) {
    result: setChaptersRead(albumId: $albumId, chapterIds: $chapterIds, isRead: $isRead) {
      __typename ... on Error { code message retryable retryAfter }
    }
  }
`;

const ENTRY = /* GraphQL */ `
  fragment Entry on LibraryEntry {
    addedAt autoDownload notify lastCheckedAt lastError unreadCount
    newChapters { id index title }
    album { ...Line }
  }
  ${LINE}
`;

export const LIBRARY = /* GraphQL */ `
  query Library($script: ChineseScript, $filter: LibraryFilter, $first: Int!, $after: String, $me: Boolean!) {
    viewer { library(filter: $filter, first: $first, after: $after) { totalCount pageInfo { hasNextPage endCursor } nodes { ...Entry } } }
  }
  ${ENTRY}
`;

/** How many albums of the library have new chapters. */
export const LIBRARY_NEWS = /* GraphQL */ `
  query LibraryNews { viewer { library(filter: { hasNew: true }, first: 1) { totalCount } } }
`;

export const LIBRARY_UPDATED = /* GraphQL */ `
  subscription LibraryUpdated { libraryUpdated { album { id title } newChapters { id } } }
`;

export const ADD_TO_LIBRARY = /* GraphQL */ `
  mutation AddToLibrary($input: AddToLibraryInput!) {
    result: addToLibrary(input: $input) { __typename ... on Error { code message retryable retryAfter } ... on UpstreamFailure { reason } }
  }
`;

export const REMOVE_FROM_LIBRARY = /* GraphQL */ `
  mutation RemoveFromLibrary($albumId: ID!) { result: removeFromLibrary(albumId: $albumId) }
`;

export const CHECK_LIBRARY = /* GraphQL */ `
  mutation CheckLibrary { result: checkLibrary }
`;

export const ADD_TAG = /* GraphQL */ `
  mutation AddTag($input: AddTagInput!) {
    result: addTag(input: $input) { __typename ... on Tag { id namespace raw } ... on Error { code message retryable retryAfter } ... on UpstreamFailure { reason } }
  }
`;

export const NOTIFICATIONS = /* GraphQL */ `
  query Notifications { viewer { notifications { urls events } } }
`;

export const SET_NOTIFICATIONS = /* GraphQL */ `
  mutation SetNotifications($input: SetNotificationsInput!) {
    result: setNotifications(input: $input) { __typename ... on Error { code message retryable retryAfter } }
  }
`;

export const TEST_NOTIFICATIONS = /* GraphQL */ `
  mutation TestNotifications { result: testNotifications { url ok message } }
`;
