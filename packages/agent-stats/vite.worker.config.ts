import { defineConfig } from "vite";

/** The thread of a database as one file: to load fifty modules one by one takes a starting process four times as long. */
export default defineConfig({
  build: {
    ssr: "src/store/sqlcipher/worker.ts",
    target: "node20",
    outDir: "dist/store/sqlcipher",
    // The compiler's files stand there already.
    emptyOutDir: false,
    minify: false,
    rolldownOptions: { output: { entryFileNames: "thread.js" } },
  },
});
