/** What is shown while an answer is awaited: a placeholder, and after three seconds what is tried, with a way to stop. */
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { t } from "../i18n";
import { refreshHealth, server } from "./health";
import { Icon } from "./icons";
import { Host } from "./status";

const SILENT_MS = 3000;
const REFRESH_MS = 2000;

export function Waiting({ onStop, children }: { onStop: () => void; children: ComponentChildren }) {
  const [isLong, setLong] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLong(true), SILENT_MS);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div class="waiting">
      {children}
      {isLong && <Tried onStop={onStop} />}
    </div>
  );
}

/** Which hosts of the site are asked now, and how each answers. */
function Tried({ onStop }: { onStop: () => void }) {
  const words = t().waiting;
  const upstream = server.value?.upstream;
  const hosts = upstream?.hosts.filter(({ role }) => role === upstream.method) ?? [];
  useEffect(() => {
    void refreshHealth();
    const timer = setInterval(() => void refreshHealth(), REFRESH_MS);
    return () => clearInterval(timer);
  }, []);
  return (
    <section class="waiting-box" role="status">
      <p class="message-title">{words.title}</p>
      {upstream && <p class="quiet">{words.through(t().status.methods[upstream.method] ?? upstream.method)}</p>}
      <ul class="hosts" role="list" aria-label={t().status.hosts}>
        {hosts.map((host) => (
          <Host key={host.url} host={host} />
        ))}
      </ul>
      <button type="button" class="button" onClick={onStop}>
        <Icon name="close" size={16} /> {words.stop}
      </button>
    </section>
  );
}
