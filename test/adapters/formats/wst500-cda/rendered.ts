import type { Renderer, RenderInput } from '../../../../agent/rendering/format.ts';
import { readAsset } from '../../../../agent/support/assets.ts';
import { compilePack } from './compile-pack.ts';
import { all, child, type Node, observations, parse } from './flatten.ts';

export const packText = (form: 'base' | 'strict') =>
  readAsset(`config/provinces/${form === 'base' ? 'cn-wst500' : 'cn-wst500-strict'}/pack.yaml`);

/** A renderer of a pack as it is shipped, with the platform's own values laid over it. */
export const shipped = (form: 'base' | 'strict', overlay: Record<string, unknown> = {}): Renderer =>
  compilePack(packText(form), overlay);

/** The document of an input, read back, and its findings as `code where`. Throws when there is none. */
export function documentOf(renderer: Renderer, input: RenderInput) {
  const out = renderer.render(input);
  if (out.kind !== 'document') throw new Error(JSON.stringify(out));
  const xml = new TextDecoder().decode(out.bytes.reveal());
  return { out, xml, root: parse(xml), found: out.findings.map(({ code, where }) => `${code} ${where}`) };
}

/** The text of the first observation of a data element. */
export const text = (root: Node, code: string): string | undefined => child(observations(root, code)[0], 'value')?.text;

/** Everything a person would read in a document. */
export const readable = (root: Node): string =>
  all(root, 'text')
    .flatMap(function texts(n): string[] {
      return [n.text, ...n.children.flatMap(texts)];
    })
    .join('\n');
