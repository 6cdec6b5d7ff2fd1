import { createWst500Cda } from '../../../../adapters/formats/wst500-cda/adapter.ts';
import { checkPack } from '../../../../adapters/formats/wst500-cda/pack/check-pack.ts';
import type { Renderer } from '../../../../agent/rendering/format.ts';
import { readAsset } from '../../../../agent/support/assets.ts';

/** A renderer from the text of a pack, through plain data as between the product's threads. */
export const compilePack = (packText: string, overlay: Record<string, unknown> = {}, read = readAsset): Renderer =>
  createWst500Cda(read).compile(structuredClone(checkPack(packText, overlay)));
