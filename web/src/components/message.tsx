/** The message when there is nothing to show: an empty list, or an error with a remedy. */
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import type { Problem } from "../api/problems";
import { t } from "../i18n";
import { viewer } from "../people/viewer";
import { refreshHealth, server } from "./health";
import { Icon } from "./icons";
import { Host, isStatusOpen } from "./status";

interface MessageProps {
  title: string;
  hint?: string;
  tone?: "calm" | "problem";
  /** True where it is all that the view shows: its title is the heading of the page. */
  isView?: boolean;
  /** Below the actions. */
  more?: ComponentChildren;
  children?: ComponentChildren;
}

export function Message({ title, hint, tone = "calm", isView = false, more, children }: MessageProps) {
  const Title = isView ? "h1" : "p";
  return (
    <div class={`message message-${tone}`} role={tone === "problem" ? "alert" : "status"}>
      {tone === "problem" && <Icon name="warning" size={28} />}
      <Title class="message-title">{title}</Title>
      {hint && <p class="message-hint">{hint}</p>}
      {children && <div class="message-actions">{children}</div>}
      {more}
    </div>
  );
}

/** Title and remedy of an error in the reader's language; the server's message where we have none. */
export function problemTexts(problem: Pick<Problem, "code" | "reason" | "message">): [string, string] {
  const { codes, reasons } = t().problem;
  return (problem.reason && reasons[problem.reason]) || codes[problem.code] || [problem.message, codes["INTERNAL"]?.[1] ?? ""];
}

/** Codes of failures that are the site's: then it matters which of its hosts was asked. */
const OF_SITE = ["UPSTREAM_UNAVAILABLE", "UPSTREAM_BROKEN", "TIMEOUT"];

interface ProblemMessageProps {
  problem: Problem;
  isView?: boolean;
  /** Path of the same page on the site itself, "album/350234". */
  sitePath?: string;
  onRetry?: () => void;
}

export function ProblemMessage({ problem, isView = false, sitePath, onRetry }: ProblemMessageProps) {
  const words = t().problem;
  const [title, hint] = problemTexts(problem);
  const wait = problem.retryAfter ? ` ${words.retryIn(problem.retryAfter)}` : "";
  const isOfSite = OF_SITE.includes(problem.code);
  const address = isOfSite && sitePath ? siteAddress(sitePath) : null;
  return (
    <Message title={title} hint={hint + wait} tone="problem" isView={isView} more={isOfSite ? <ProblemDetails problem={problem} /> : <HostHint problem={problem} />}>
      {onRetry && (
        <button type="button" class="button" onClick={onRetry}>
          <Icon name="retry" /> {words.retry}
        </button>
      )}
      {isOfSite && (
        <button type="button" class="button" aria-haspopup="dialog" onClick={() => (isStatusOpen.value = true)}>
          <Icon name="status" /> {t().app.status}
        </button>
      )}
      {address && <a class="button" href={address} target="_blank" rel="noopener noreferrer">{words.atSite}</a>}
    </Message>
  );
}

/** Which hosts of the site were asked, and how each answered. */
function ProblemDetails({ problem }: { problem: Problem }) {
  const upstream = server.value?.upstream;
  const hosts = upstream?.hosts.filter(({ role, healthy, latencyMs }) => role !== "IMAGE" && (!healthy || latencyMs !== null)) ?? [];
  useEffect(() => void refreshHealth(), [problem]);
  return (
    <>
      {hosts.length > 0 && (
        <section class="problem-hosts">
          <h2 class="quiet">{t().problem.hosts}</h2>
          <ul class="hosts" role="list" aria-label={t().problem.hosts}>
            {hosts.map((host) => (
              <Host key={host.role + host.url} host={host} />
            ))}
          </ul>
        </section>
      )}
      <HostHint problem={problem} />
    </>
  );
}

/** What only who runs the server can do; visitors don't see it. */
function HostHint({ problem: { code, reason } }: { problem: Problem }) {
  const { forHost, hostHints } = t().problem;
  const hint = (reason && hostHints[reason]) || hostHints[code];
  if (!hint || !viewer.value?.user.isAdmin) return null;
  return <p class="notice-box"><strong>{forHost}</strong> {hint}</p>;
}

/** The site's own page by its first host that can be used; null while none is known. */
function siteAddress(path: string): string | null {
  const hosts = server.value?.upstream.hosts.filter(({ role }) => role === "HTML") ?? [];
  const host = hosts.find(({ healthy }) => healthy) ?? hosts[0];
  return host ? `${host.url.replace(/\/+$/, "")}/${path}` : null;
}
