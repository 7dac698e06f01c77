/** Comments of an album, fetched when they are opened: each page is a call to the site. */
import { useState } from "preact/hooks";
import { COMMENTS } from "../api/documents";
import { useQuery } from "../api/hooks";
import type { Comment } from "../api/types";
import { t } from "../i18n";
import { number, siteDay } from "../i18n/formats";
import { ProblemMessage } from "./message";
import { Waiting } from "./waiting";

interface CommentsAnswer {
  album: { comments: { page: number; pageCount: number; total: number; items: Comment[] } | null } | null;
}

export function Comments({ id, count }: { id: string; count: number }) {
  const [pages, setPages] = useState(0);
  return (
    <details class="comments" onToggle={(event) => event.currentTarget.open && pages === 0 && setPages(1)}>
      <summary>
        <h2>{t().album.comments(number(count))}</h2>
      </summary>
      {Array.from({ length: pages }, (_, index) => (
        <CommentPage key={index} id={id} page={index + 1} isLast={index + 1 === pages} onMore={() => setPages(pages + 1)} />
      ))}
    </details>
  );
}

interface PageProps {
  id: string;
  page: number;
  isLast: boolean;
  onMore: () => void;
}

function CommentPage({ id, page, isLast, onMore }: PageProps) {
  const { data, problem, isLoading, reload, stop } = useQuery<CommentsAnswer>(COMMENTS, { id, page });
  const comments = data?.album?.comments;
  if (isLoading) return <Waiting onStop={stop}><div class="skeleton lines" aria-hidden="true" /></Waiting>;
  if (!comments && problem) return <ProblemMessage problem={problem} onRetry={reload} />;
  if (!comments?.items.length) return page === 1 ? <p class="quiet">{t().album.noComments}</p> : null;
  return (
    <>
      <ul class="comment-list" role="list">
        {comments.items.map((comment) => (
          <CommentLine key={comment.id} comment={comment} />
        ))}
      </ul>
      {isLast && page < comments.pageCount && (
        <button type="button" class="button" onClick={onMore}>{t().album.moreComments}</button>
      )}
    </>
  );
}

function CommentLine({ comment }: { comment: Comment }) {
  return (
    <li class="comment">
      <CommentBody comment={comment} />
      {comment.replies.length > 0 && (
        <details>
          <summary class="quiet">{t().album.replies(comment.replies.length)}</summary>
          <ul role="list">
            {comment.replies.map((reply) => (
              <li key={reply.id} class="comment">
                <CommentBody comment={reply} />
              </li>
            ))}
          </ul>
        </details>
      )}
    </li>
  );
}

function CommentBody({ comment }: { comment: Omit<Comment, "replies"> }) {
  const [isShown, setShown] = useState(!comment.isSpoiler);
  return (
    <>
      <p class="comment-head">
        <strong>{comment.author}</strong> <span class="quiet">{siteDay(comment.postedAt)}</span>
      </p>
      {isShown ? (
        <p class="comment-text">{comment.text}</p>
      ) : (
        <button type="button" class="button button-small" onClick={() => setShown(true)}>{t().album.spoiler}</button>
      )}
    </>
  );
}
