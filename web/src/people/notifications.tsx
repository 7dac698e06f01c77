/** Where a person is notified, and of what. */
import { useState } from "preact/hooks";
import { NOTIFICATIONS, SET_NOTIFICATIONS, TEST_NOTIFICATIONS } from "../api/documents";
import { useQuery } from "../api/hooks";
import type { Problem } from "../api/problems";
import { ProblemMessage } from "../components/message";
import { t } from "../i18n";
import { Refused } from "./login";
import { change } from "./viewer";

const EVENTS = ["NEW_CHAPTERS", "DOWNLOAD_READY", "DOWNLOAD_FAILED", "SITE_LOGIN_EXPIRED"] as const;

interface Settings {
  urls: string[];
  events: string[];
}

interface Tested {
  url: string;
  ok: boolean;
  message: string;
}

export function Notifications() {
  const { data, problem, reload } = useQuery<{ viewer: { notifications: Settings } | null }>(NOTIFICATIONS, {}, "network-only");
  const settings = data?.viewer?.notifications;
  return (
    <details class="person-part">
      <summary>{t().notifications.title}</summary>
      {!settings && problem && <ProblemMessage problem={problem} onRetry={reload} />}
      {settings && <Form key={settings.urls.join(" ")} settings={settings} onSaved={reload} />}
    </details>
  );
}

function Form({ settings, onSaved }: { settings: Settings; onSaved: () => void }) {
  const words = t().notifications;
  const [problem, setProblem] = useState<Problem | null>(null);
  const [isSaved, setSaved] = useState(false);
  const [tested, setTested] = useState<readonly Tested[] | null>(null);
  const [isBusy, setBusy] = useState(false);
  const save = async (event: Event): Promise<void> => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget as HTMLFormElement);
    const urls = String(fields.get("urls")).split("\n").map((line) => line.trim()).filter(Boolean);
    setBusy(true);
    const refused = await change(SET_NOTIFICATIONS, { input: { urls, events: fields.getAll("event") } }, onSaved);
    setBusy(false);
    setProblem(refused);
    setSaved(refused === null);
  };
  const sendTest = async (): Promise<void> => {
    setBusy(true);
    setProblem(await change<Tested[]>(TEST_NOTIFICATIONS, {}, setTested));
    setBusy(false);
  };
  return (
    <form class="credentials" onSubmit={(event) => void save(event)}>
      <label class="field">
        <span class="field-label">{words.urls}</span>
        <textarea name="urls" rows={4} defaultValue={settings.urls.join("\n")} spellcheck={false} autocapitalize="none" aria-describedby="notifications-hint" />
      </label>
      <p id="notifications-hint" class="quiet">{words.hint}</p>
      <fieldset>
        <legend class="field-label">{words.events}</legend>
        {EVENTS.map((name) => (
          <label key={name} class="check">
            <input type="checkbox" name="event" value={name} defaultChecked={settings.events.includes(name)} /> {words.names[name]}
          </label>
        ))}
      </fieldset>
      <Refused id="notifications" problem={problem} />
      {isSaved && <p role="status">{words.saved}</p>}
      <p class="person-links">
        <button type="submit" class="button button-small" disabled={isBusy}>{t().people.save}</button>
        <button type="button" class="button button-small" disabled={isBusy || settings.urls.length === 0} onClick={() => void sendTest()}>{words.test}</button>
      </p>
      {tested && (
        <ul class="person-list" role="list" aria-label={words.results}>
          {tested.map(({ url, ok, message }, index) => (
            <li key={index}>
              <code>{url}</code> <span class={ok ? "" : "refused"}>{ok ? words.arrived : message}</span>
            </li>
          ))}
        </ul>
      )}
    </form>
  );
}
