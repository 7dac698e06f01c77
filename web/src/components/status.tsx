/** The status: a dot in the bar, and a panel with each dependency of the server and its remedy. */
import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { live } from "../api/client";
import type { UpstreamHost } from "../api/types";
import { t } from "../i18n";
import { number, relative, size } from "../i18n/formats";
import { Credit } from "./credit";
import { database, health, refreshHealth, serverStatus, server } from "./health";
import { Icon } from "./icons";
import { Panel } from "./panel";

const WATCHED_MS = 5000;
const UNWATCHED_MS = 60_000;

export const isStatusOpen = signal(false);

export function useHealth(): void {
  const isOpen = isStatusOpen.value;
  const isLive = live.value; // a lost or regained connection: read the health again
  useEffect(() => {
    void refreshHealth();
    const timer = setInterval(() => document.visibilityState === "visible" && void refreshHealth(), isOpen ? WATCHED_MS : UNWATCHED_MS);
    return () => clearInterval(timer);
  }, [isOpen, isLive]);
}

export function StatusPanel() {
  if (!isStatusOpen.value) return null;
  return (
    <Panel id="status" title={t().status.title} onClose={() => (isStatusOpen.value = false)}>
      <Summary />
      <Dependencies />
      <Site />
      <Database />
      <ForDevelopers />
    </Panel>
  );
}

function Summary() {
  return (
    <p class={`server-status server-status-${serverStatus.value}`}>
      <span class="status-dot" aria-hidden="true" /> {t().status[serverStatus.value]}
    </p>
  );
}

function Dependencies() {
  const words = t().status;
  const checks = health.value?.checks ?? {};
  const redis = checks["redis"];
  const workers = server.value?.workers ?? 0;
  return (
    <dl class="facts-list">
      <Fact name={words.version}>{server.value?.version ?? "…"}</Fact>
      <Fact name={words.redis} isBad={redis?.status === "down"}>
        {redis?.status === "down" ? (
          <>{words.noRedis} <Command text="jmgraph up" /></>
        ) : (
          words.ms(number(Math.round((redis?.latencyMs ?? 0) * 10) / 10))
        )}
      </Fact>
      <Fact name={words.workers} isBad={server.value !== null && workers === 0}>
        {workers > 0 || !server.value ? words.workerCount(workers) : <>{words.noWorkers} <Command text="jmgraph worker" /></>}
      </Fact>
      <Fact name={words.downloads}>{words.queue(server.value?.queueDepth ?? 0, server.value?.activeDownloads ?? 0)}</Fact>
      <Fact name={words.storage} isBad={checks["storage"]?.status === "down"}>
        {checks["storage"]?.status === "down" ? words.unusable : words.healthy}
      </Fact>
      <Fact name={words.disk} isBad={checks["disk"]?.status === "down"}>
        {checks["disk"]?.freeBytes === undefined ? "…" : words.free(size(checks["disk"].freeBytes))}
      </Fact>
    </dl>
  );
}

function Site() {
  const words = t().status;
  const upstream = server.value?.upstream;
  if (!upstream) return null;
  const isDown = health.value?.checks["site"]?.status === "down";
  return (
    <section>
      <h3>{words.site}</h3>
      <dl class="facts-list">
        <Fact name={words.method} isBad={isDown}>{words.methods[upstream.method] ?? upstream.method}</Fact>
      </dl>
      {isDown && <p class="notice-box">{words.siteDown} <Command text="jmgraph doctor" /></p>}
      <ul class="hosts" role="list" aria-label={words.hosts}>
        {upstream.hosts.map((host) => (
          <Host key={host.role + host.url} host={host} />
        ))}
      </ul>
    </section>
  );
}

/** A host and how it answers; one that was never asked is neither good nor bad. */
export function Host({ host }: { host: UpstreamHost }) {
  const words = t().status;
  const reason = host.reason ? (t().problem.reasons[host.reason]?.[0] ?? host.reason) : words.inCooldown;
  const state = host.latencyMs === null ? words.untried : words.ms(number(Math.round(host.latencyMs)));
  return (
    <li class={!host.healthy ? "host host-bad" : host.latencyMs === null ? "host host-untried" : "host"}>
      <span class="status-dot" aria-hidden="true" />
      <span class="host-role">{words.roles[host.role]}</span>
      <span class="host-url">{host.url.replace(/^https?:\/\//, "")}</span>
      <span class="quiet">{host.healthy ? state : reason}</span>
    </li>
  );
}

function Database() {
  const words = t().status;
  const tags = database.value;
  if (!tags) return null;
  return (
    <section>
      <h3>{words.database}</h3>
      <dl class="facts-list">
        <Fact name={words.database}>{words.databaseVersion(tags.version, number(tags.tagCount))}</Fact>
        <Fact name={words.head}><code>{tags.head.sha.slice(0, 10)}</code></Fact>
        {tags.lastCheckedAt && <Fact name={words.head}>{words.checked(relative(tags.lastCheckedAt))}</Fact>}
      </dl>
      {tags.isStarter && <p class="notice-box">{words.starter} <Command text="jmgraph ehtag sync" /></p>}
      {tags.lastError && <p class="notice-box">{words.syncFailed} <span lang="en">{tags.lastError}</span></p>}
      <Credit />
    </section>
  );
}

/** Links to what the server says of its interfaces; relative, so that they work below a sub-path. */
function ForDevelopers() {
  const words = t().status;
  return (
    <p class="quiet">
      {words.developers} <a href="docs">{words.httpApi}</a> · <a href="graphql">GraphiQL</a> · <a href="schema.graphql">schema.graphql</a>
    </p>
  );
}

function Fact({ name, isBad = false, children }: { name: string; isBad?: boolean; children: ComponentChildren }) {
  return (
    <div class={isBad ? "fact fact-bad" : "fact"}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Command({ text }: { text: string }) {
  const [isCopied, setCopied] = useState(false);
  // The clipboard needs a secure context; elsewhere the text can be selected.
  const canCopy = typeof navigator.clipboard !== "undefined";
  return (
    <span class="command">
      <code>{text}</code>
      {canCopy && (
        <button
          type="button"
          class="button button-icon"
          aria-label={`${t().status.copy}: ${text}`}
          onClick={() => void navigator.clipboard.writeText(text).then(() => setCopied(true), () => setCopied(false))}
        >
          <Icon name={isCopied ? "check" : "copy"} size={14} />
        </button>
      )}
    </span>
  );
}
