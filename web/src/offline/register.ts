/** Installs the service worker, where the browser lets an address have one: https, or this machine. */
import { baseUrl } from "../api/addresses";
import { announce } from "../components/toasts";
import { t } from "../i18n";

const CHECK_MS = 3_600_000;

interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL: (url: string) => string }): { createScriptURL(url: string): unknown };
}

export function registerWorker(): void {
  if (!("serviceWorker" in navigator) || !import.meta.env.PROD) return;
  const workers = navigator.serviceWorker;
  const wasControlled = workers.controller !== null;
  // What is open goes on as it is: the next reload shows the new page, which the server answers itself.
  workers.addEventListener("controllerchange", () => wasControlled && announce(t().offline.updated, null));
  // One that can't be installed (storage is full, or forbidden) is only missed offline.
  workers.register(workerUrl(), { updateViaCache: "none" }).then(followUpdates, () => undefined);
}

function followUpdates(registration: ServiceWorkerRegistration): void {
  let checkedAt = Date.now();
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState !== "visible" || Date.now() - checkedAt < CHECK_MS) return;
    checkedAt = Date.now();
    registration.update().catch(() => undefined); // the server is away: another time
  });
}

/** The only script URL that this page makes; the Content-Security-Policy wants that to be said. */
function workerUrl(): string {
  const url = new URL("sw.js", baseUrl()).href;
  const { trustedTypes } = window as unknown as { trustedTypes?: TrustedTypes };
  const policy = trustedTypes?.createPolicy("jmgraph", { createScriptURL: () => url });
  return (policy ? policy.createScriptURL(url) : url) as string;
}
