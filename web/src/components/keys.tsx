/** All keys of the page, shown by "?". */
import { signal } from "@preact/signals";
import { t } from "../i18n";
import { Panel } from "./panel";

export const isKeysOpen = signal(false);

/** `?` opens the list on every view, but where it is typed as text. */
export function followKeys(): void {
  addEventListener("keydown", (event) => {
    if (event.key !== "?" || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.target instanceof HTMLElement && event.target.matches("input:not([type=range], [type=checkbox], [type=radio]), textarea, select")) return;
    if (document.querySelector("dialog[open]")) return;
    event.preventDefault();
    isKeysOpen.value = true;
  });
}

export function KeysPanel() {
  if (!isKeysOpen.value) return null;
  const words = t().keys;
  return (
    <Panel id="keys" title={words.title} onClose={() => (isKeysOpen.value = false)}>
      {words.groups.map(({ name, keys }) => (
        <section key={name}>
          <h3>{name}</h3>
          <dl class="facts-list keys">
            {keys.map(([names, text]) => (
              <div key={text} class="fact">
                <dt>{names.map((key) => <kbd key={key}>{key}</kbd>)}</dt>
                <dd>{text}</dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
    </Panel>
  );
}
