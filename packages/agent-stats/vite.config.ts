import { defineConfig } from "vite";

/** The viewer as one file that asks for nothing: what it is made of is bundled, so that the library depends on nothing. */
export default defineConfig({
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    target: "es2023",
    outDir: "dist/viewer",
    // The compiler's declarations stand there already.
    emptyOutDir: false,
    // For a library vite leaves white space in; this one is an asset.
    rolldownOptions: { output: { minify: true } },
    lib: { entry: "src/viewer/viewer.ts", formats: ["es"], fileName: () => "viewer.js" },
  },
});
