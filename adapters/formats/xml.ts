import { QianzhiError } from '../../agent/support/errors.ts';
import {
  createOutput,
  finish,
  IllegalCharacter,
  type Output,
  writeBytes,
  writeMarkup,
  writeText,
  written,
} from './xml-output.ts';

export type XmlNode = XmlElement | Filled | string;

export interface XmlElement {
  /** ASCII. */
  readonly name: string;
  /** Written in the order given; an undefined value is left out. */
  readonly attributes: Readonly<Record<string, string | undefined>>;
  /** An undefined child is left out, so that a caller can write its optional parts in place. */
  readonly children: ReadonlyArray<XmlNode | undefined>;
  /** Of an element that occurs many times: its bytes once it has been written. */
  readonly memo?: { bytes?: Uint8Array };
}

/** An element. Names are ours, never from outside; attributes and text may hold anything and are escaped. */
export function el(
  name: string,
  attributes: Readonly<Record<string, string | undefined>> = {},
  children: ReadonlyArray<XmlNode | undefined> | string = [],
): XmlElement {
  return { name, attributes, children: typeof children === 'string' ? [children] : children };
}

/** The same element, written once however often it occurs: half of a document is its repeated codes. */
export const shared = (node: XmlElement): XmlElement => ({ ...node, memo: {} });

/** What goes into a hole of a pattern: a text, a node, several, or nothing. */
export type Filling = XmlNode | ReadonlyArray<XmlNode | undefined> | undefined;

/** A pattern with its holes filled: a node like any other. */
export interface Filled {
  readonly pattern: Pattern;
  readonly fillings: readonly Filling[];
}

/** An element with holes, all that is constant in it as bytes. */
interface Pattern {
  /** Before, between and after the holes: one more than there are holes. */
  readonly parts: readonly Uint8Array[];
  readonly holes: readonly Hole[];
}

interface Hole {
  /** Which filling belongs here. */
  readonly index: number;
  /** `value`: of an attribute. `content`: all that its element holds. `child`: one among others. */
  readonly kind: 'value' | 'content' | 'child';
  /** The element with the hole, the pattern's own first. */
  readonly path: readonly string[];
  /** Of `content`: the part after the hole without the end tag, for an element that turns out to be empty. */
  readonly afterEmpty?: Uint8Array;
}

/** Begins the stand-in for a hole: a noncharacter, which is refused wherever it is not one. */
const holeMark = '\uffff';

/**
 * An element that occurs many times with a few places that differ: what is constant is written once and
 * then copied. `build` is called once, with a stand-in for each hole to put where an attribute's value or a
 * child would stand; beside holes, children must include one that is certainly there. The bytes, and the
 * errors, are those of the same tree built with `el`.
 */
export function pattern<Fillings extends readonly Filling[]>(
  holes: Fillings['length'],
  build: (...holes: string[]) => XmlElement,
): (...fillings: Fillings) => Filled {
  const marks = Array.from({ length: holes }, (_, n) => `${holeMark}${n}`);
  const made = { parts: [] as Uint8Array[], holes: [] as Hole[] };
  const out = createOutput(1024);
  makePattern(build(...marks), [], out, made);
  made.parts.push(written(out, 0));
  const filled: Pattern = {
    parts: made.parts,
    holes: made.holes.map((hole, n) => {
      const endTag = `</${hole.path.at(-1)}>`;
      return hole.kind === 'content' ? { ...hole, afterEmpty: made.parts[n + 1]?.slice(endTag.length) } : hole;
    }),
  };
  return (...fillings) => ({ pattern: filled, fillings });
}

function makePattern(
  node: XmlElement,
  above: readonly string[],
  out: Output,
  made: { parts: Uint8Array[]; holes: Hole[] },
): void {
  const path = [...above, node.name];
  const hole = (index: number, kind: Hole['kind']): void => {
    made.parts.push(written(out, 0));
    made.holes.push({ index, kind, path });
    out.length = 0;
  };
  writeMarkup(out, `<${node.name}`);
  for (const [name, value] of Object.entries(node.attributes)) {
    const index = holeIndex(value);
    if (index === undefined) {
      writeAttribute(name, value, out);
      continue;
    }
    writeMarkup(out, ` ${name}="`);
    hole(index, 'value');
    writeMarkup(out, '"');
  }
  const children = node.children.filter((child) => child !== undefined && child !== '');
  const only = children.length === 1 ? holeIndex(children[0]) : undefined;
  if (children.length === 0) {
    writeMarkup(out, '/>');
    return;
  }
  if (only !== undefined) {
    writeMarkup(out, '>');
    hole(only, 'content');
    writeMarkup(out, `</${node.name}>`);
    return;
  }
  if (children.every((child) => holeIndex(child) !== undefined)) throw new TypeError('nothing but holes');
  writeMarkup(out, '>');
  for (const child of children) {
    const index = holeIndex(child);
    if (index !== undefined) hole(index, 'child');
    else if (isElement(child)) makePattern(child, path, out, made);
    else writeNode(child, out);
  }
  writeMarkup(out, `</${node.name}>`);
}

const holeIndex = (value: XmlNode | undefined): number | undefined =>
  typeof value === 'string' && value.startsWith(holeMark) ? Number(value.slice(holeMark.length)) : undefined;

const isElement = (node: XmlNode | undefined): node is XmlElement => typeof node === 'object' && 'name' in node;

/** One for all documents: they are written one after another, each as one call, so its memory is used again. */
const scratch = createOutput();

/**
 * The document in UTF-8 with declaration, without indentation, in memory of its own; the same tree always
 * gives the same bytes. Throws QianzhiError MAP-3010 with the element's path (names only) when a text or
 * attribute holds a character that XML 1.0 §2.2 does not allow: content is never altered to fit.
 */
export function xmlBytes(root: XmlElement): Uint8Array {
  scratch.length = 0;
  try {
    writeMarkup(scratch, '<?xml version="1.0" encoding="UTF-8"?>\n');
    writeElement(root, scratch);
    writeMarkup(scratch, '\n');
    return finish(scratch);
  } catch (error) {
    if (error instanceof IllegalCharacter) throw new QianzhiError('MAP-3010', error.path.join('/'));
    throw error;
  }
}

/** The same as a string. */
export const toXml = (root: XmlElement): string => Buffer.from(xmlBytes(root).buffer).toString('utf8');

function writeNode(node: XmlNode | undefined, out: Output): void {
  if (node === undefined) return;
  if (typeof node === 'string') writeText(out, node, false);
  else if ('pattern' in node) writeFilled(node, out);
  else if (node.memo !== undefined) writeShared(node, node.memo, out);
  else writeElement(node, out);
}

function writeShared(node: XmlElement, memo: { bytes?: Uint8Array }, out: Output): void {
  if (memo.bytes !== undefined) {
    writeBytes(out, memo.bytes);
    return;
  }
  const from = out.length;
  writeElement(node, out);
  memo.bytes = written(out, from);
}

function writeElement(node: XmlElement, out: Output): void {
  try {
    writeMarkup(out, '<');
    writeMarkup(out, node.name);
    for (const name in node.attributes) writeAttribute(name, node.attributes[name], out);
    if (!writeContent(node.children, out)) {
      writeMarkup(out, '/>');
      return;
    }
    writeMarkup(out, '</');
    writeMarkup(out, node.name);
    writeMarkup(out, '>');
  } catch (error) {
    throw within([node.name], error);
  }
}

function writeAttribute(name: string, value: string | undefined, out: Output): void {
  if (value === undefined) return;
  writeMarkup(out, ' ');
  writeMarkup(out, name);
  writeMarkup(out, '="');
  writeText(out, value, true);
  writeMarkup(out, '"');
}

/** Closes the start tag and writes the children; does nothing and returns false when there is none to write. */
function writeContent(children: ReadonlyArray<XmlNode | undefined>, out: Output): boolean {
  let open = false;
  for (const child of children) {
    if (child === undefined || child === '') continue;
    if (!open) writeMarkup(out, '>');
    open = true;
    writeNode(child, out);
  }
  return open;
}

function writeFilled({ pattern: { parts, holes }, fillings }: Filled, out: Output): void {
  let part = parts[0];
  for (let i = 0; i < holes.length; i++) {
    if (part !== undefined) writeBytes(out, part);
    part = parts[i + 1];
    const hole = holes[i];
    if (hole === undefined) continue;
    const from = out.length;
    try {
      fill(hole, fillings[hole.index], out);
    } catch (error) {
      throw within(hole.path, error);
    }
    if (hole.afterEmpty === undefined || out.length > from) continue;
    // Nothing in it: the start tag, which is closed already, becomes the whole element.
    out.length -= 1;
    writeMarkup(out, '/>');
    part = hole.afterEmpty;
  }
  if (part !== undefined) writeBytes(out, part);
}

function fill(hole: Hole, filling: Filling, out: Output): void {
  if (typeof filling === 'string') writeText(out, filling, hole.kind === 'value');
  else if (hole.kind === 'value') throw new TypeError('an attribute holds text');
  else if (isList(filling)) for (const node of filling) writeNode(node, out);
  else writeNode(filling, out);
}

const isList = (filling: Filling): filling is ReadonlyArray<XmlNode | undefined> => Array.isArray(filling);

/** What an error was thrown within, from the inside out: paths cost nothing where all is well. */
function within(names: readonly string[], error: unknown): unknown {
  if (error instanceof IllegalCharacter) error.path.unshift(...names);
  return error;
}
