import { posix } from "node:path";
import ts from "typescript";
import type { Files } from "./tree.ts";

/** One file that names another: an import, an export from it, or a worker started from it. */
export interface Arrow {
  readonly from: string;
  /** A path among the files for a relative specifier, else the specifier itself, e.g. `node:fs` or `mqtt`. */
  readonly to: string;
  /** True where nothing of it is left once the types are gone. `import { type X }` leaves an import: it is false. */
  readonly typeOnly: boolean;
  /** True for `export *`. */
  readonly star: boolean;
}

/** What stands for a dynamic import whose name is only known when it runs. */
const COMPUTED = "(computed)";

/** Every arrow out of these files. They are parsed, so what stands in a comment or a string is none. */
export function arrowsOf(files: Files): Arrow[] {
  return [...files].flatMap(([from, text]) =>
    nodesOf(parse(from, text)).flatMap((node) => {
      const found = referenceOf(node);
      return found ? [{ star: false, ...found, from, to: resolve(from, found.to) }] : [];
    }),
  );
}

/** Among these names, the globals that a file uses without declaring them and without asking `typeof` them anywhere. */
export function globalsUsed(path: string, text: string, among: ReadonlySet<string>): string[] {
  const found = nodesOf(parse(path, text)).filter(ts.isIdentifier);
  const known = new Set(found.filter((node) => isDeclared(node) || isAsked(node)).map((node) => node.text));
  const used = found.filter((node) => among.has(node.text) && !known.has(node.text) && !isMemberName(node));
  return [...new Set(used.map((node) => node.text))];
}

function parse(path: string, text: string): ts.SourceFile {
  return ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
}

function nodesOf(node: ts.Node): ts.Node[] {
  const below: ts.Node[] = [];
  ts.forEachChild(node, (child) => {
    below.push(...nodesOf(child));
  });
  return [node, ...below];
}

type Reference = Pick<Arrow, "to" | "typeOnly"> & Partial<Pick<Arrow, "star">>;

function referenceOf(node: ts.Node): Reference | null {
  if (ts.isImportDeclaration(node)) {
    return {
      to: textOf(node.moduleSpecifier),
      typeOnly: node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword,
    };
  }
  if (ts.isExportDeclaration(node) && node.moduleSpecifier) {
    const star = node.exportClause === undefined || ts.isNamespaceExport(node.exportClause);
    return { to: textOf(node.moduleSpecifier), typeOnly: node.isTypeOnly, star };
  }
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
    return { to: textOf(node.argument.literal), typeOnly: true };
  }
  if (ts.isCallExpression(node) && isLoader(node.expression)) return { to: textOf(node.arguments[0]), typeOnly: false };
  if (ts.isNewExpression(node) && isOwnFile(node)) return { to: textOf(node.arguments?.[0]), typeOnly: false };
  return null;
}

function textOf(node: ts.Node | undefined): string {
  return node && ts.isStringLiteralLike(node) ? node.text : COMPUTED;
}

function isLoader(called: ts.Expression): boolean {
  return called.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(called) && called.text === "require");
}

/** `new URL("./worker.ts", import.meta.url)`: how a worker's file is named. */
function isOwnFile(node: ts.NewExpression): boolean {
  const [path, base] = node.arguments ?? [];
  const isUrl = ts.isIdentifier(node.expression) && node.expression.text === "URL";
  return isUrl && path !== undefined && ts.isStringLiteralLike(path) && base?.getText() === "import.meta.url";
}

function resolve(from: string, specifier: string): string {
  return specifier.startsWith(".") ? posix.join(posix.dirname(from), specifier) : specifier;
}

function isDeclared(node: ts.Identifier): boolean {
  const { parent } = node;
  const declares =
    ts.isVariableDeclaration(parent) ||
    ts.isBindingElement(parent) ||
    ts.isParameter(parent) ||
    ts.isFunctionDeclaration(parent) ||
    ts.isImportSpecifier(parent) ||
    ts.isImportClause(parent);
  return declares && parent.name === node;
}

/** Whether `typeof` is asked of it. */
function isAsked(node: ts.Identifier): boolean {
  return ts.isTypeOfExpression(node.parent);
}

/** `x.name`, `{ name: … }`, or `X.name` in a type: a member of something else, not the global of that name. */
function isMemberName(node: ts.Identifier): boolean {
  const { parent } = node;
  return ("name" in parent && parent.name === node) || (ts.isQualifiedName(parent) && parent.right === node);
}
