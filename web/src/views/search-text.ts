/** What people type and paste into the search. Numbers by the rule of the server's `services/upstream/ids.py`. */

const LONGEST_TEXT = 500;
const OPENING = String.raw`[\s#*"'“‘<(\[{「『【〔〖《〈«]*`;
const CLOSING = String.raw`[\s*"'”’>)\]}」』】〕〗》〉».,;:!?。、~]*`;
const BETWEEN = String.raw`[\s#*"'“”‘’<>()\[\]{}「」『』【】〔〕〖〗《》〈〉«».,:;_·・\-‐–—]*`;
const WORD = "(?:jmcomic|jm|禁漫天堂|禁漫|[車车][號号牌]?)";
const FURTHER_WORD = `(?:${WORD}|no|id|[編编][號号])`;
const DIGITS = "0*(?<digits>[1-9][0-9]{0,11})";
const NUMBER = new RegExp(`^${OPENING}(?:${WORD}${BETWEEN}(?:${FURTHER_WORD}${BETWEEN})*)?${DIGITS}${CLOSING}$`, "iu");
const ADDRESS = new RegExp(
  String.raw`^${OPENING}(?:https?:\/\/)?[^\s\/?#]+\/(?:albums?|photos?)\/(?:\?(?:[^\s#]*&)?id=)?${DIGITS}(?:[\/?#&]\S*)?${CLOSING}$`,
  "iu",
);

/** The digits of "350234", "车350234", "JM 350234" or an address of an album or chapter; null for any other text. */
export function numberOf(text: string): string | null {
  if (text.length > LONGEST_TEXT) return null;
  const plain = text.normalize("NFKC").replace(/\p{Cf}/gu, "");
  return (NUMBER.exec(plain) ?? ADDRESS.exec(plain))?.groups?.["digits"] ?? null;
}

/** The words that must be found, without their signs. */
export function wordsOf(query: string): string {
  return query.split(/\s+/).filter((word) => !word.startsWith("-")).map((word) => word.replace(/^\+/, "")).join(" ");
}

/** A word that must be found, or must not, as the site takes it: "+word", "-word". */
export interface Term {
  readonly name: string;
  readonly isExcluded: boolean;
}

/** `termsOf("+全彩 -短篇 fox")` is the text "fox" and two terms. */
export function termsOf(query: string): { text: string; terms: Term[] } {
  const words = query.split(/\s+/).filter(Boolean);
  const isTerm = (word: string): boolean => /^[+-]./u.test(word);
  return {
    text: words.filter((word) => !isTerm(word)).join(" "),
    terms: words.filter(isTerm).map((word) => ({ name: word.slice(1), isExcluded: word.startsWith("-") })),
  };
}

/** The site's own form: the text, then each term once, the last of a name. */
export function joined(text: string, terms: readonly Term[]): string {
  const byName = new Map(terms.map((term) => [term.name, term]));
  return [text.trim(), ...[...byName.values()].map(({ name, isExcluded }) => (isExcluded ? "-" : "+") + name)].filter(Boolean).join(" ");
}

const MAX_EARLIER = 20;

/** Newest first, each once. */
export function withEarlier(earlier: readonly string[], query: string): string[] {
  return query ? [query, ...earlier.filter((other) => other !== query)].slice(0, MAX_EARLIER) : [...earlier];
}
