import { readFileSync } from 'node:fs';
import { getAsset, isSea } from 'node:sea';

/** Reads a text asset of the product by its path in the repository, for example `config/codes/sex.csv`. */
export type ReadAsset = (path: string) => string;

const assetPath = /^(?:[a-z0-9][a-z0-9-]*\/)*[a-z0-9][a-z0-9.-]*$/;

/**
 * UTF-8 text of a file that ships with the product: from inside the single binary, where the asset's
 * key is the same path, or from the repository. Throws a plain Error when the path leaves the tree or
 * names nothing: a missing asset is a mistake of the build, not of the site.
 */
export const readAsset: ReadAsset = (path) => {
  if (!assetPath.test(path)) throw new Error(`not an asset path: ${path}`);
  if (isSea()) return getAsset(path, 'utf8');
  return readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
};
