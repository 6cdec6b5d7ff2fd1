import { SaxesParser } from 'saxes';

export interface Node {
  name: string;
  attributes: Record<string, string>;
  children: Node[];
  text: string;
}

/** Parses well-formed XML into a plain tree; throws on the first error. */
export function parse(xml: string): Node {
  const parser = new SaxesParser({ fragment: false });
  const root: Node = { name: '', attributes: {}, children: [], text: '' };
  const stack = [root];
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('opentag', ({ name, attributes }) => {
    const node: Node = { name, attributes: { ...attributes } as Record<string, string>, children: [], text: '' };
    stack.at(-1)!.children.push(node);
    stack.push(node);
  });
  parser.on('closetag', () => {
    stack.pop();
  });
  parser.on('text', (text) => {
    stack.at(-1)!.text += text;
  });
  parser.write(xml).close();
  return root.children[0]!;
}

/** First descendant that a chain of names leads to. */
export const child = (node: Node | undefined, ...names: string[]): Node | undefined =>
  names.reduce<Node | undefined>((at, name) => at?.children.find((c) => c.name === name), node);

/** All descendants of a name, in document order. */
export const all = (node: Node, name: string): Node[] =>
  node.children.flatMap((c) => [...(c.name === name ? [c] : []), ...all(c, name)]);

/** The observations of a data element, wherever they stand. */
export const observations = (root: Node, code: string): Node[] =>
  all(root, 'observation').filter((o) => child(o, 'code')?.attributes.code === code);

/**
 * Every attribute and text as `path → value`. A step is named after what the element means (its root,
 * data element, section, signer), so that a missing neighbour does not shift the others. The only item of a
 * document needs no name: it is compared whatever its code.
 */
export function flatten(root: Node): Map<string, string> {
  const flat = new Map<string, string>();
  const items = all(root, 'organizer').length;
  walk(root, '', flat, items > 1);
  return flat;
}

function walk(node: Node, parent: string, flat: Map<string, string>, manyItems: boolean): void {
  let path = `${parent}/${node.name === 'organizer' && !manyItems ? node.name : label(node)}`;
  // Levels of the location are compared by what they are, not by how deep they lie.
  if (node.name === 'wholeOrganization') path = path.replace(/componentOf\/.*\//, 'componentOf/');
  flat.set(path, node.text.trim());
  for (const [name, value] of Object.entries(node.attributes)) flat.set(`${path}/@${name}`, value);
  for (const inner of node.children) walk(inner, path, flat, manyItems);
}

function label(node: Node): string {
  const { name } = node;
  if (name === 'id' && node.attributes.root !== undefined) return `id{${node.attributes.root}}`;
  if (name === 'wholeOrganization') return `${name}{${child(node, 'id')?.attributes.root}}`;
  if (name === 'authenticator') return `${name}{${child(node, 'assignedEntity', 'code')?.attributes.displayName}}`;
  if (name === 'observation') return `${name}{${child(node, 'code')?.attributes.code}}`;
  if (name === 'organizer') return `${name}{${child(node, 'component', 'observation', 'value')?.text}}`;
  if (name === 'section') return `${name}{${child(node, 'code')?.attributes.displayName}}`;
  return name;
}
