/** Starts `jmgraph demo` on a free port with a fresh data directory: one for all tests, and one for whoever closes it. */
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const ROOT = resolve(import.meta.dirname, "../..");
const START_MS = 90_000;
const STOP_MS = 20_000;
/** Followed albums are looked at so often that a test need not wait for it. */
const CHECK_EVERY_S = 3;

/** Before all tests: their server; returns what ends it. */
export default async function start(): Promise<() => Promise<void>> {
  const { url, stop } = await startDemo();
  process.env["JMGRAPH_TEST_URL"] = url;
  return stop;
}

/** A demo of its own, ready; `url` ends with a slash. */
export async function startDemo(): Promise<{ url: string; stop: () => Promise<void> }> {
  if (!existsSync(join(ROOT, "rest/static/index.html"))) throw new Error("The page is not built: run `make web` first.");
  const data = await mkdtemp(join(tmpdir(), "jmgraph-web-"));
  const port = await freePort();
  const demo = spawn(process.env["PYTHON"] ?? join(ROOT, ".venv/bin/python"), ["-m", "cli", "demo"], {
    cwd: ROOT,
    env: {
      ...withoutOurs(process.env), JMGRAPH_DATA_DIR: data, JMGRAPH_PORT: String(port), JMGRAPH_HOST: "127.0.0.1",
      JMGRAPH_LIBRARY_CHECK_EVERY: String(CHECK_EVERY_S),
      // All tests are one client, which does in a minute what a person does in an hour.
      JMGRAPH_CLIENT_RATE: "0", JMGRAPH_CLIENT_SITE_RATE: "0",
    },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true, // a session of its own: its niceness is not measured against the browser's
  });
  const log: string[] = [];
  demo.stdout.on("data", (text: Buffer) => log.push(text.toString()));
  demo.stderr.on("data", (text: Buffer) => log.push(text.toString()));
  const stop = async (): Promise<void> => {
    await ended(demo);
    await rm(data, { recursive: true, force: true });
  };
  try {
    await ready(demo, `http://127.0.0.1:${port}/readyz`);
  } catch (error) {
    await stop();
    throw new Error(`${String(error)}\n${log.join("").slice(-4000)}`);
  }
  return { url: `http://127.0.0.1:${port}/`, stop };
}

function withoutOurs(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith("JMGRAPH_")));
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  await new Promise((done) => server.close(done));
  if (address === null || typeof address === "string") throw new Error("no free port");
  return address.port;
}

async function ready(demo: ChildProcess, url: string): Promise<void> {
  const deadline = Date.now() + START_MS;
  while (Date.now() < deadline) {
    if (demo.exitCode !== null) throw new Error(`jmgraph demo ended with ${demo.exitCode}`);
    const health = await fetch(url).then(
      (answer) => answer.json() as Promise<{ status: string }>,
      () => null,
    );
    if (health?.status === "ready") return;
    await new Promise((done) => setTimeout(done, 200));
  }
  throw new Error("jmgraph demo did not get ready in time");
}

async function ended(demo: ChildProcess): Promise<void> {
  if (demo.exitCode !== null) return;
  const exit = new Promise((done) => demo.once("exit", done));
  demo.kill("SIGTERM");
  const timer = setTimeout(() => demo.kill("SIGKILL"), STOP_MS);
  await exit;
  clearTimeout(timer);
}
