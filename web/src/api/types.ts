/** Result types of `documents.ts`, as far as the page reads them. A test checks the documents against the schema. */

export type Period = "DAY" | "WEEK" | "MONTH" | "ALL";
export type AlbumOrder = "LATEST" | "VIEWS" | "LIKES" | "PICTURES";
export type SearchField = "SITE" | "WORK" | "AUTHOR" | "TAG" | "CHARACTER";
export type TagKind = "GENRE" | "WORK" | "CHARACTER" | "AUTHOR";
export type TagMatch = "EXACT" | "FOLDED" | "ALIAS" | "RAW" | "AMBIGUOUS" | "ELSEWHERE";
export type ArchiveFormat = "ZIP" | "CBZ" | "PDF";
export type ImageFormat = "ORIGINAL" | "JPEG" | "PNG" | "WEBP";
export type DownloadState = "QUEUED" | "RUNNING" | "PACKING" | "READY" | "FAILED" | "CANCELLED" | "EXPIRED";

export interface Cover {
  url: string;
  width: number | null;
  height: number | null;
  placeholder: string | null;
}

/** How far a person has read a chapter. */
export interface Progress {
  page: number;
  pageCount: number;
  isFinished: boolean;
  readAt?: string;
}

export interface AlbumProgress extends Progress {
  chapter: { id: string; index: number };
}

/** What the server knows of an album without asking the site; null is what it does not know. */
export interface KnownAlbum {
  authors: string[] | null;
  pageCount: number | null;
  viewCount: number | null;
  likeCount: number | null;
  updatedOn: string | null;
}

export interface AlbumLine {
  id: string;
  title: string;
  category: string | null;
  cover: Cover;
  known: KnownAlbum;
  /** Of the viewer; left out for guests. */
  progress?: AlbumProgress | null;
}

/** Where an album was read last. */
export interface Reading extends Progress {
  readAt: string;
  album: AlbumLine;
  chapter: Chapter;
}

export interface User {
  id: string;
  name: string;
  isAdmin: boolean;
}

export interface SiteAccount {
  username: string;
  state: "CONNECTED" | "EXPIRED";
}

export interface Viewer {
  user: User;
  siteAccount: SiteAccount | null;
}

export interface AccessToken {
  id: string;
  label: string;
  scope: string;
  createdAt: string;
  lastUsedAt: string | null;
}

export interface AlbumPage {
  items: AlbumLine[];
  page: number;
  pageCount: number;
  total: number;
}

export interface Tag {
  id: string;
  namespace: string;
  raw: string;
  name: string;
}

export interface AlbumTag {
  name: string;
  kind: TagKind;
  match: TagMatch | null;
  translation: Tag | null;
  alternatives: Tag[];
}

export interface Chapter {
  id: string;
  index: number;
  title: string;
  /** Of the viewer; left out for guests. */
  progress?: Progress | null;
}

export interface Album extends Omit<AlbumLine, "category" | "known"> {
  url: string;
  description: string | null;
  authors: AlbumTag[] | null;
  works: AlbumTag[] | null;
  characters: AlbumTag[] | null;
  tags: AlbumTag[] | null;
  pageCount: number | null;
  viewCount: number | null;
  likeCount: number | null;
  commentCount: number | null;
  publishedOn: string | null;
  updatedOn: string | null;
  chapters: Chapter[] | null;
  source: string | null;
  downloads: Download[];
  /** Null or left out without an account of the site. */
  isSiteFavorite?: boolean | null;
  /** Of the viewer; left out for guests. */
  libraryEntry?: Pick<LibraryEntry, "autoDownload" | "notify" | "lastError"> & { newChapters: { id: string }[] } | null;
}

/** An album that a person keeps an eye on. */
export interface LibraryEntry {
  album: AlbumLine;
  addedAt: string;
  autoDownload: boolean;
  notify: boolean;
  lastCheckedAt: string | null;
  lastError: string | null;
  unreadCount: number;
  newChapters: Chapter[];
}

export interface Comment {
  id: string;
  author: string;
  text: string;
  isSpoiler: boolean;
  postedAt: string;
  likes: number | null;
  replies: Omit<Comment, "replies">[];
}

export interface Page {
  index: number;
  url: string;
}

export interface Download {
  id: string;
  revision: number;
  albumId: string;
  title: string;
  state: DownloadState;
  progress: { pagesDone: number; pagesTotal: number | null; bytesDone: number; percent: number; etaSeconds: number | null };
  archive: ArchiveFormat;
  image: ImageFormat;
  problem: { code: string; message: string; retryable: boolean; reason: string | null; missingPages: string[] } | null;
  file: { name: string; url: string; size: number; sha256: string } | null;
  /** All of its files: a kept series has one a chapter. */
  files: { name: string; url: string; size: number }[];
  isKept: boolean;
  requestedAt: string;
  expiresAt: string | null;
}

export interface NamespaceInfo {
  namespace: string;
  name: string;
  description: string;
  count: number;
}

/** The text by which a search found a tag; `start` and `length` count Unicode characters. */
export interface MatchedText {
  text: string;
  field: "RAW" | "NAME" | "ALIAS" | "PINYIN" | "INTRO";
  start: number;
  length: number;
}

export interface EhTag {
  repo: string;
  version: number;
  tagCount: number;
  isStarter: boolean;
  head: { sha: string; message: string; committedAt: string };
  lastCheckedAt: string | null;
  lastError: string | null;
  namespaces: NamespaceInfo[];
}

export interface UpstreamHost {
  url: string;
  role: "API" | "HTML" | "IMAGE";
  healthy: boolean;
  latencyMs: number | null;
  reason: string | null;
}

export interface Server {
  version: string;
  queueDepth: number;
  activeDownloads: number;
  workers: number;
  upstream: { method: string; reachable: boolean; checkedAt: string | null; hosts: UpstreamHost[] };
}

/** An error, either a member of a result union or an entry of `errors`. */
export interface Refusal {
  __typename?: string;
  code: string;
  message: string;
  retryable: boolean;
  reason?: string | null;
  retryAfter?: number | null;
}
