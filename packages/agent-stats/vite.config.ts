import { defineConfig } from "vite";

/** The viewer as one file that asks for nothing: what it is made of is bundled, so that the library depends on nothing. */
export default defineConfig({
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    target: "es2023",
    outDir: "dist/viewer",
    // The compiler's declarations stand there already.
    emptyOutDir: false,
    lib: { entry: "src/viewer/viewer.ts", formats: ["es"], fileName: () => "viewer.js" },
  },
});
