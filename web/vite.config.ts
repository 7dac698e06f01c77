/** Two pages, one build. Every address is relative, so that the page works under any sub-path of a proxy. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

const server = process.env["JMGRAPH_URL"] ?? "http://127.0.0.1:11111";

/** Writes the small forms beside each file once, so that the server never compresses them. */
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
    target: "es2022",
    modulePreload: { polyfill: false },
    // Everything is a file of its own: a data: address would need a laxer Content-Security-Policy.
    assetsInlineLimit: 0,
    // GraphiQL's editor is one large piece; the page's own budget is held by a test.
    chunkSizeWarningLimit: 6000,
    rolldownOptions: {
      // Marks of another framework in GraphiQL's parts, which mean nothing to a page without a server side.
      onwarn: (warning, warn) => warning.code === "MODULE_LEVEL_DIRECTIVE" || warn(warning),
      input: { index: "index.html", graphiql: "graphiql.html" },
    },
  },
  server: { proxy: { "/graphql": { target: server, ws: true }, "/images": server, "/downloads": server, "/readyz": server } },
  test: { include: ["src/**/*.test.ts"] },
});
