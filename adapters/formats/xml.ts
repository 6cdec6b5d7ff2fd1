import { QianzhiError } from '../../agent/support/errors.ts';

export type XmlNode = XmlElement | string;

export interface XmlElement {
  readonly name: string;
  /** Written in the order given; an undefined value is left out. */
  readonly attributes: Readonly<Record<string, string | undefined>>;
  /** An undefined child is left out, so that a caller can write its optional parts in place. */
  readonly children: ReadonlyArray<XmlNode | undefined>;
  /** Of an element that occurs many times: its text once it has been written. */
  readonly memo?: { text?: string };
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

/**
 * Anything that is not written as it is: XML's own characters, white space a parser would fold, and
 * what is illegal. `mayNeed` asks the same by code unit, several times faster, and also stops at
 * four-byte characters.
 */
const mayNeed = /[\0-\x1f"&<>\ud800-\udfff\ufffe\uffff]/;
const specials = /[^ !#-%'-;=?-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\r': '&#13;',
};

/**
 * The document as a string with declaration, without indentation; the same tree always gives the
 * same string. Throws QianzhiError MAP-3010 with the element's path (names only) when a text or
 * attribute holds a character that XML 1.0 §2.2 does not allow: content is never altered to fit.
 */
export function toXml(root: XmlElement): string {
  const out = ['<?xml version="1.0" encoding="UTF-8"?>\n'];
  element(root, out, []);
  out.push('\n');
  return out.join('');
}

function element(node: XmlElement, out: string[], path: string[]): void {
  const { memo } = node;
  if (memo === undefined) {
    write(node, out, path);
    return;
  }
  if (memo.text === undefined) {
    const own: string[] = [];
    write(node, own, path);
    memo.text = own.join('');
  }
  out.push(memo.text);
}

/** Through an array: one flat string at the end is cheaper than a deep rope of parts. */
function write(node: XmlElement, out: string[], path: string[]): void {
  path.push(node.name);
  let open = `<${node.name}`;
  for (const name in node.attributes) {
    const value = node.attributes[name];
    if (value !== undefined) open += ` ${name}="${escaped(value, true, path)}"`;
  }
  // The tag and the text before the first inner element, written as one part.
  let part = open;
  let empty = true;
  for (const child of node.children) {
    if (child === undefined || child === '') continue;
    if (empty) part += '>';
    empty = false;
    if (typeof child === 'string') part += escaped(child, false, path);
    else {
      out.push(part);
      part = '';
      element(child, out, path);
    }
  }
  out.push(empty ? `${part}/>` : `${part}</${node.name}>`);
  path.pop();
}

function escaped(text: string, attribute: boolean, path: string[]): string {
  if (!mayNeed.test(text)) return text;
  return text.replace(specials, (c) => {
    // A parser turns bare tab and line feed in an attribute into spaces (XML 1.0 §3.3.3).
    if (c === '\t' || c === '\n') return attribute ? `&#${c.charCodeAt(0)};` : c;
    const entity = escapes[c];
    if (entity === undefined) throw new QianzhiError('MAP-3010', path.join('/'));
    return entity;
  });
}
