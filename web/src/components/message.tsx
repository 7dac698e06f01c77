/** The message when there is nothing to show: an empty list, or an error with a remedy. */
import type { ComponentChildren } from "preact";
import type { Problem } from "../api/problems";
import { t } from "../i18n";
import { Icon } from "./icons";

interface MessageProps {
  title: string;
  hint?: string;
  tone?: "calm" | "problem";
  /** True where it is all that the view shows: its title is the heading of the page. */
  isView?: boolean;
  children?: ComponentChildren;
}

export function Message({ title, hint, tone = "calm", isView = false, children }: MessageProps) {
  const Title = isView ? "h1" : "p";
  return (
    <div class={`message message-${tone}`} role={tone === "problem" ? "alert" : "status"}>
      {tone === "problem" && <Icon name="warning" size={28} />}
      <Title class="message-title">{title}</Title>
      {hint && <p class="message-hint">{hint}</p>}
      {children && <div class="message-actions">{children}</div>}
    </div>
  );
}

/** Title and remedy of an error in the reader's language; the server's message where we have none. */
export function problemTexts(problem: Pick<Problem, "code" | "reason" | "message">): [string, string] {
  const { codes, reasons } = t().problem;
  return (problem.reason && reasons[problem.reason]) || codes[problem.code] || [problem.message, codes["INTERNAL"]?.[1] ?? ""];
}

interface ProblemMessageProps {
  problem: Problem;
  isView?: boolean;
  onRetry?: () => void;
}

export function ProblemMessage({ problem, isView = false, onRetry }: ProblemMessageProps) {
  const [title, hint] = problemTexts(problem);
  const wait = problem.retryAfter ? ` ${t().problem.retryIn(problem.retryAfter)}` : "";
  return (
    <Message title={title} hint={hint + wait} tone="problem" isView={isView}>
      {onRetry && (
        <button type="button" class="button" onClick={onRetry}>
          <Icon name="retry" /> {t().problem.retry}
        </button>
      )}
    </Message>
  );
}
