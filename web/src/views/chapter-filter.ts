/** Which chapters a filter shows. */
import type { Chapter } from "../api/types";

/** `query` is a part of the title in any case, or the chapter's place: "12" shows chapter 12 and titles with 12 in them. */
export function isShown(chapter: Chapter, query: string, isUnreadOnly: boolean): boolean {
  if (isUnreadOnly && chapter.progress?.isFinished) return false;
  const wanted = query.trim().toLowerCase();
  return wanted === "" || String(chapter.index) === wanted || chapter.title.toLowerCase().includes(wanted);
}
