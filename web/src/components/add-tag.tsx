/** Adds a tag of the site to the tag database, for who edits it from this browser. */
import { signal } from "@preact/signals";
import { useState } from "preact/hooks";
import { githubToken } from "../api/client";
import { ADD_TAG } from "../api/documents";
import type { Problem } from "../api/problems";
import type { Tag, TagKind } from "../api/types";
import { t } from "../i18n";
import { Refused } from "../people/login";
import { change } from "../people/viewer";
import { go } from "../router";
import { Panel } from "./panel";
import { tagPath } from "./tag-names";

/** The tag that is being added; null while none is. */
export const addedName = signal<{ name: string; kind: TagKind } | null>(null);

const NAMESPACES = ["OTHER", "FEMALE", "MALE", "MIXED", "PARODY", "CHARACTER", "ARTIST", "GROUP", "COSPLAYER", "LANGUAGE", "LOCATION", "RECLASS"];
const LIKELY: Record<TagKind, string> = { GENRE: "OTHER", WORK: "PARODY", CHARACTER: "CHARACTER", AUTHOR: "ARTIST" };

export function AddTagPanel() {
  const added = addedName.value;
  if (!added) return null;
  const words = t().addTag;
  return (
    <Panel id="add-tag" title={words.title} onClose={() => (addedName.value = null)}>
      <Form key={added.name} name={added.name} kind={added.kind} />
    </Panel>
  );
}

function Form({ name, kind }: { name: string; kind: TagKind }) {
  const words = t().addTag;
  const [problem, setProblem] = useState<Problem | null>(null);
  const [isBusy, setBusy] = useState(false);
  const send = async (event: Event): Promise<void> => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget as HTMLFormElement);
    const text = (field: string): string => String(fields.get(field) ?? "").trim();
    // Any version: a row is added, none is changed.
    const input = { namespace: text("namespace"), raw: text("raw"), name: text("name"), intro: text("intro"), ifMatch: "*" };
    setBusy(true);
    const opened = (tag: Tag): void => {
      addedName.value = null;
      go(tagPath(tag));
    };
    const refusal = await change<Tag>(ADD_TAG, { input }, opened, { "X-Token": githubToken.value });
    setBusy(false);
    setProblem(refusal);
  };
  return (
    <form class="credentials" onSubmit={(event) => void send(event)}>
      <label class="field">
        <span class="field-label">{t().tags.namespaces}</span>
        <select name="namespace" defaultValue={LIKELY[kind]}>
          {NAMESPACES.map((namespace) => (
            <option key={namespace} value={namespace} selected={namespace === LIKELY[kind]}>{t().tag.namespaces[namespace]}</option>
          ))}
        </select>
      </label>
      <label class="field">
        <span class="field-label">{words.raw}</span>
        <input type="text" name="raw" required pattern="[\-A-Za-z0-9. ]+" autocapitalize="none" autocomplete="off" spellcheck={false} />
      </label>
      <label class="field">
        <span class="field-label">{t().tags.name}</span>
        <input type="text" name="name" required defaultValue={name} autocomplete="off" />
      </label>
      <label class="field">
        <span class="field-label">{t().tags.intro}</span>
        <textarea name="intro" rows={4} />
      </label>
      <Refused id="add-tag" problem={problem} />
      <button type="submit" class="button button-primary" disabled={isBusy}>{words.add}</button>
      <p class="quiet">{words.hint}</p>
    </form>
  );
}
