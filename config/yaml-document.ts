import {
  isAlias,
  isCollection,
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  visit,
} from 'yaml';
import type { Bilingual } from '../agent/support/text.ts';
import { colonHint, yamlMessage } from './messages.ts';

export type Path = ReadonlyArray<string | number>;

export interface Position {
  line: number;
  column: number;
}

export interface YamlProblem {
  position: Position;
  message: Bilingual;
}

/** A YAML text as plain data, together with where each value stands in it. */
export interface YamlText {
  /** Plain maps, arrays and scalars of the YAML 1.2 core schema. Keys are always strings as written. */
  value: unknown;
  problems: YamlProblem[];
  /** Where the value at `path` stands; where its nearest written ancestor's key stands when it is absent. */
  positionOf(path: Path): Position;
  /** Where the key of the entry at `path` stands. */
  positionOfKey(path: Path): Position;
  /** Reads a string by the rules of the core schema, as if it had been written without quotes. */
  coreValue(text: string): unknown;
}

/**
 * Reads one YAML 1.2 document strictly (reference surface.md §4): core schema, unique keys, no merge
 * keys, no aliases (nothing to expand without bound), no tags, one document. JSON is YAML too.
 */
export function parseYamlText(text: string): YamlText {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    version: '1.2',
    schema: 'core',
    strict: true,
    uniqueKeys: true,
    merge: false,
    prettyErrors: false,
    lineCounter: lines,
  });
  const at = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const problems: YamlProblem[] = [];
  const written = text.split(/\r?\n/);
  const report = (offset: number, code: string) => {
    const position = at(offset);
    const message = yamlMessage(code);
    const hint = hintAt(written, position.line);
    problems.push({
      position,
      message: hint === undefined ? message : { zh: message.zh + hint.zh, en: `${message.en} ${hint.en}` },
    });
  };
  // One slip makes the parser report many: only the first is worth reading, except for repeated keys.
  const first = document.errors.find((error) => error.code !== 'DUPLICATE_KEY');
  for (const error of document.errors) {
    if (error.code === 'DUPLICATE_KEY' || error === first) report(error.pos[0], error.code);
  }
  if (first === undefined) {
    for (const warning of document.warnings) report(warning.pos[0], warning.code);
    visit(document, {
      Alias: (_key, node) => {
        report(node.range?.[0] ?? 0, 'ALIAS');
      },
      Pair: (_key, pair) => {
        if (!isScalar(pair.key)) report(isCollection(pair.key) ? (pair.key.range?.[0] ?? 0) : 0, 'COMPLEX_KEY');
      },
    });
  }
  const root = document.contents;
  const value = problems.length === 0 ? toPlain(root) : undefined;

  const find = (path: Path): { key?: Node; node?: Node; found: boolean } => {
    let node: unknown = root;
    let key: Node | undefined;
    for (const step of path) {
      const next = child(node, step);
      if (next === undefined) return { ...(key && { key }), ...nodeOf(node), found: false };
      key = next.key ?? (next.node as Node | undefined);
      node = next.node;
    }
    return { ...(key && { key }), ...nodeOf(node), found: true };
  };
  const start = (node: Node | undefined): number | undefined => node?.range?.[0];

  return {
    value,
    problems,
    positionOf(path) {
      const { key, node, found } = find(path);
      const written = node !== undefined && !(isScalar(node) && node.range?.[0] === node.range?.[1]);
      return at((found && written ? start(node) : undefined) ?? start(key) ?? start(node) ?? 0);
    },
    positionOfKey(path) {
      const { key, node } = find(path);
      return at(start(key) ?? start(node) ?? 0);
    },
    coreValue(plain) {
      for (const tag of document.schema.tags) {
        if (tag.default && 'test' in tag && tag.test?.test(plain) && typeof tag.resolve === 'function') {
          const resolved = (tag.resolve as (s: string, e: () => void, o: object) => unknown)(plain, () => {}, {});
          return isScalar(resolved) ? resolved.value : resolved;
        }
      }
      return plain;
    },
  };
}

const fullWidthColon = /^\s*(?:- +)?[\w.-]+\s*：/;
const colonAlone = /^\s*(?:- +)?[A-Za-z_][\w-]*:[^\s/\\]/;
/** A colon that a line lacks shows some lines later, where the next one begins. */
const linesBefore = 3;

/** What is wrong with the colon of a line, or of one shortly before. */
function hintAt(lines: readonly string[], line: number): Bilingual | undefined {
  for (let at = Math.max(1, line - linesBefore); at <= line; at++) {
    const text = lines[at - 1] ?? '';
    if (fullWidthColon.test(text)) return colonHint(at, true);
    if (colonAlone.test(text)) return colonHint(at, false);
  }
  return undefined;
}

const nodeOf = (node: unknown): { node?: Node } => (node === null || node === undefined ? {} : { node: node as Node });

/** Name of a map entry exactly as written: `010` stays `010` and does not become the number ten. */
const keyText = (key: unknown): string => (isScalar(key) ? (key.source ?? String(key.value)) : '');

function child(node: unknown, step: string | number): { key?: Node; node: unknown } | undefined {
  if (isMap(node)) {
    const pair = node.items.find((item) => keyText(item.key) === String(step));
    if (pair === undefined) return undefined;
    return { ...(isScalar(pair.key) && { key: pair.key }), node: pair.value };
  }
  if (isSeq(node) && typeof step === 'number' && step < node.items.length) return { node: node.items[step] };
  return undefined;
}

function toPlain(node: unknown): unknown {
  if (isMap(node)) {
    const map: Record<string, unknown> = {};
    for (const item of node.items) {
      // defineProperty, so that a key named __proto__ is an entry like any other and gets refused as unknown.
      Object.defineProperty(map, keyText(item.key), {
        value: toPlain(item.value),
        enumerable: true,
        configurable: true,
        writable: true,
      });
    }
    return map;
  }
  if (isSeq(node)) return node.items.map((item) => toPlain(isPair(item) ? item.value : item));
  if (isScalar(node)) return node.value;
  return isAlias(node) ? undefined : null;
}
