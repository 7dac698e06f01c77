/** Two pages, one build. Every URL is relative, so that the page works under any sub-path of a proxy. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

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

export default defineConfig({
  base: "./",
  plugins: [compressed()],
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
      input: { index: "index.html", graphiql: "graphiql.html" },
    },
  },
  server: { proxy: { "/graphql": { target: server, ws: true }, "/images": server, "/downloads": server, "/readyz": server } },
  // Their workers are made by Vite itself, which its dependency optimizer cannot do.
  optimizeDeps: { exclude: ["@graphiql/react/setup-workers/vite"] },
  test: { include: ["src/**/*.test.ts"] },
});
