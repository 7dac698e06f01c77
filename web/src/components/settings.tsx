/** Language, colours, and the API key where the server requires one. */
import { signal } from "@preact/signals";
import { apiKey, githubToken, socket } from "../api/client";
import { language, LANGUAGES, t } from "../i18n";
import { TITLE_SCRIPTS, titleScript } from "../i18n/titles";
import { href } from "../router";
import { LANDINGS, landing } from "../views/choices";
import { theme, type Theme } from "../theme";
import { Panel } from "./panel";
import { Select } from "./switches";

export const isSettingsOpen = signal(false);

export function SettingsPanel() {
  if (!isSettingsOpen.value) return null;
  const words = t().settings;
  return (
    <Panel id="settings" title={words.title} onClose={() => (isSettingsOpen.value = false)}>
      <div class="settings">
        <a class="button" href={href(["offline"])}>{t().offline.title}</a>
        <Select labelled label={words.language} value={language.value} options={LANGUAGES} onChange={(value) => (language.value = value)} />
        <Select labelled label={words.titles} value={titleScript.value} options={words.titleScripts} order={TITLE_SCRIPTS} onChange={(value) => (titleScript.value = value)} />
        <Select labelled label={words.landing} value={landing.value} options={words.landings} order={LANDINGS} onChange={(value) => (landing.value = value)} />
        <Select labelled label={words.theme} value={theme.value} options={words.themes} onChange={(value: Theme) => (theme.value = value)} />
        <label class="field">
          <span class="field-label">{words.key}</span>
          <input
            type="password"
            autocomplete="off"
            value={apiKey.value}
            aria-describedby="key-hint"
            onChange={(event) => {
              apiKey.value = event.currentTarget.value.trim();
              // The key is sent when the socket opens: reconnect.
              socket.terminate();
            }}
          />
        </label>
        <p id="key-hint" class="quiet">{words.keyHint}</p>
        <label class="field">
          <span class="field-label">{words.github}</span>
          <input
            type="password"
            autocomplete="off"
            value={githubToken.value}
            aria-describedby="github-hint"
            onChange={(event) => (githubToken.value = event.currentTarget.value.trim())}
          />
        </label>
        <p id="github-hint" class="quiet">{words.githubHint}</p>
      </div>
    </Panel>
  );
}
