import { QianzhiError } from '../../agent/support/errors.ts';

export type XmlNode = XmlElement | string;

export interface XmlElement {
  readonly name: string;
  /** Written in the order given; an undefined value is left out. */
  readonly attributes: Readonly<Record<string, string | undefined>>;
  /** An undefined child is left out, so that a caller can write its optional parts in place. */
  readonly children: ReadonlyArray<XmlNode | undefined>;
}

/** An element. Names are ours, never from outside; attributes and text may hold anything and are escaped. */
export function el(
  name: string,
  attributes: Readonly<Record<string, string | undefined>> = {},
  children: ReadonlyArray<XmlNode | undefined> | string = [],
): XmlElement {
  return { name, attributes, children: typeof children === 'string' ? [children] : children };
}

/** Anything that is not written as it is: XML's own characters, white space a parser would fold, and what is illegal. */
const special = /[^ !#-%'-;=?-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;
const specials = new RegExp(special, 'gu');

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
  return `<?xml version="1.0" encoding="UTF-8"?>\n${element(root, [])}\n`;
}

function element(node: XmlElement, path: string[]): string {
  path.push(node.name);
  let out = `<${node.name}`;
  for (const name in node.attributes) {
    const value = node.attributes[name];
    if (value !== undefined) out += ` ${name}="${escaped(value, true, path)}"`;
  }
  let inner = '';
  for (const child of node.children) {
    if (child === undefined) continue;
    inner += typeof child === 'string' ? escaped(child, false, path) : element(child, path);
  }
  path.pop();
  return inner === '' ? `${out}/>` : `${out}>${inner}</${node.name}>`;
}

function escaped(text: string, attribute: boolean, path: string[]): string {
  if (!special.test(text)) return text;
  return text.replace(specials, (c) => {
    // A parser turns bare tab and line feed in an attribute into spaces (XML 1.0 §3.3.3).
    if (c === '\t' || c === '\n') return attribute ? `&#${c.charCodeAt(0)};` : c;
    const entity = escapes[c];
    if (entity === undefined) throw new QianzhiError('MAP-3010', path.join('/'));
    return entity;
  });
}
