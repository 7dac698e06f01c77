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
