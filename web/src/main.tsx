/** Entry point of the page. */
import { render } from "preact";
import { App } from "./app";
import { followSearchKey } from "./components/search-box";
import { followDownloads } from "./downloads/store";
import { followKeys } from "./components/keys";
import { syncDocumentLanguage } from "./i18n";
import { followOwner } from "./offline/kept";
import { registerWorker } from "./offline/register";
import { openShared } from "./offline/shared";
import { followLibrary } from "./people/library-news";
import { followReports, takeOverPositions } from "./people/progress";
import { access, followSession, loadViewer } from "./people/viewer";
import { followAddress } from "./router";
import { applyTheme } from "./theme";

/** Frames to wait for a list to be long enough again, after the back button. */
const RESTORE_FRAMES = 40;

function restore(y: number, frames = RESTORE_FRAMES): void {
  scrollTo({ top: y, behavior: "instant" });
  if (Math.abs(scrollY - y) > 2 && frames > 0) requestAnimationFrame(() => restore(y, frames - 1));
}

openShared();
syncDocumentLanguage();
applyTheme();
followKeys();
const root = document.getElementById("app");
if (root) render(<App />, root);
followAddress((y) => {
  if (y !== null) return restore(y);
  scrollTo({ top: 0, behavior: "instant" });
  document.getElementById("content")?.focus({ preventScroll: true });
});
followOwner();
registerWorker();
followSearchKey();
void loadViewer().then(() => {
  if (access.value === "closed") return;
  followSession();
  followDownloads();
  followReports();
  followLibrary();
  void takeOverPositions();
});
