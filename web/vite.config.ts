/** Two pages, one build. Every URL is relative, so that the page works under any sub-path of a proxy. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";
import { icon } from "./icons";

const server = process.env["API_URL"] ?? "http://127.0.0.1:11111";

/** Writes compressed copies beside each file, so that the server need not compress them. */
function compressed(): Plugin {
  let folder = "";
  return {
    name: "compressed",
    apply: "build",
    configResolved: (config) => void (folder = join(config.root, config.build.outDir, "assets")),
    closeBundle() {
      for (const name of readdirSync(folder).filter((file) => /\.(?:js|css|svg|ttf)$/.test(file))) {
        const body = readFileSync(join(folder, name));
        writeFileSync(join(folder, `${name}.gz`), gzipSync(body, { level: 9 }));
        const params = { [constants.BROTLI_PARAM_QUALITY]: 9, [constants.BROTLI_PARAM_SIZE_HINT]: body.length };
        writeFileSync(join(folder, `${name}.br`), brotliCompressSync(body, { params }));
      }
    },
  };
}

/** Of the icons; the last one is for systems that cut icons to their own shape. */
const ICONS = [
  { size: 192, isMaskable: false },
  { size: 512, isMaskable: false },
  { size: 512, isMaskable: true },
] as const;

/** The page as an app: its manifest and icons, and the list of files that the service worker installs. */
function app(): Plugin {
  let folder = "";
  let references: string[] = [];
  return {
    name: "app",
    apply: "build",
    configResolved: (config) => void (folder = join(config.root, config.build.outDir)),
    buildStart() {
      references = ICONS.map(({ size, isMaskable }) =>
        this.emitFile({ type: "asset", name: `app-${size}${isMaskable ? "-maskable" : ""}.png`, source: icon(size, isMaskable) }),
      );
    },
    generateBundle() {
      const icons = ICONS.map(({ size, isMaskable }, index) => ({
        src: this.getFileName(references[index] ?? ""), sizes: `${size}x${size}`, type: "image/png", purpose: isMaskable ? "maskable" : "any",
      }));
      this.emitFile({ type: "asset", fileName: "manifest.webmanifest", source: JSON.stringify({ ...MANIFEST, icons }, null, 2) });
    },
    transformIndexHtml: {
      order: "post",
      handler: (html, { filename, bundle }) => {
        if (filename.endsWith("graphiql.html")) return html;
        const links = [{ rel: "manifest", href: "./manifest.webmanifest", crossorigin: "use-credentials" }];
        // Apple's systems read no icons of a manifest, and cut this one to their shape.
        const filled = Object.keys(bundle ?? {}).find((file) => file.includes("app-512-maskable"));
        const icons = filled ? [{ rel: "apple-touch-icon", href: `./${filled}` }] : [];
        return [...links, ...icons].map((attrs) => ({ tag: "link", attrs, injectTo: "head" as const }));
      },
    },
    closeBundle() {
      const page = readFileSync(join(folder, "index.html"), "utf-8");
      const { icons } = JSON.parse(readFileSync(join(folder, "manifest.webmanifest"), "utf-8")) as { icons: { src: string }[] };
      const files = [...page.matchAll(/(?:src|href)="\.\/(assets\/[^"]+)"/g)].map(([, file]) => file ?? "");
      const all = [...new Set([...files, "manifest.webmanifest", ...icons.map(({ src }) => src)])];
      const version = createHash("sha256").update(page).update(all.join("\n")).digest("hex").slice(0, 12);
      const worker = readFileSync(join(folder, "sw.js"), "utf-8");
      writeFileSync(join(folder, "sw.js"), worker.replace(/["'`]__FILES__["'`]/, JSON.stringify(all)).replace("__VERSION__", version));
    },
  };
}

const MANIFEST = {
  name: "jmgraph",
  short_name: "jmgraph",
  start_url: "./",
  scope: "./",
  display: "standalone",
  background_color: "#15171b",
  theme_color: "#15171b",
  share_target: { action: "./", method: "GET", params: { title: "title", text: "text", url: "url" } },
};

export default defineConfig({
  base: "./",
  plugins: [app(), compressed()],
  build: {
    // Part of the Python package, so that a wheel holds it.
    outDir: "../rest/static",
    emptyOutDir: true,
    target: "es2022",
    modulePreload: { polyfill: false },
    // No inlined assets: a data: URL would need a laxer Content-Security-Policy.
    assetsInlineLimit: 0,
    // GraphiQL's editor is one large chunk; a test limits the size of the page itself.
    chunkSizeWarningLimit: 6000,
    rolldownOptions: {
      // Directives in GraphiQL's components for another framework; they mean nothing here.
      onwarn: (warning, warn) => warning.code === "MODULE_LEVEL_DIRECTIVE" || warn(warning),
      input: { index: "index.html", graphiql: "graphiql.html", sw: "src/offline/worker.ts" },
      // At the root of the page, which is what it may answer for; its name stays, so that a browser finds the next one.
      output: { entryFileNames: ({ name }) => (name === "sw" ? "sw.js" : "assets/[name]-[hash].js") },
    },
  },
  server: { proxy: { "/graphql": { target: server, ws: true }, "/images": server, "/downloads": server, "/readyz": server } },
  // Their workers are made by Vite itself, which its dependency optimizer cannot do.
  optimizeDeps: { exclude: ["@graphiql/react/setup-workers/vite"] },
  test: { include: ["src/**/*.test.ts"] },
});
