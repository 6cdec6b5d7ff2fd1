import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const formats = new URL('../../../../../shared/reference/formats/', import.meta.url);
const schemas = {
  /** China-extended CDA schema of 2012. */
  base: fileURLToPath(new URL('cda-xsd/sdschemas/SDA.xsd', formats)),
  /** Interoperability schemas, one for each document. */
  C0006: fileURLToPath(new URL('interop-xsd/cdas/C0006.xsd', formats)),
  C0007: fileURLToPath(new URL('interop-xsd/cdas/C0007.xsd', formats)),
};

/** Why documents cannot be validated here, or false. */
export const missingSchemas: string | false = !existsSync(schemas.base)
  ? 'the schemas in ../shared are not here'
  : spawnSync('xmllint', ['--version']).error !== undefined
    ? 'xmllint (Debian libxml2-utils) is not installed'
    : false;

/** Validates many documents with one call; gives what xmllint said of the invalid ones. */
export function validate(folder: string, documents: Uint8Array[], schema: keyof typeof schemas): string[] {
  const files = documents.map((bytes, n) => {
    const file = join(folder, `${schema}-${n}.xml`);
    writeFileSync(file, bytes);
    return file;
  });
  const complaints: string[] = [];
  for (let n = 0; n < files.length; n += 500) {
    const run = spawnSync('xmllint', ['--noout', '--nonet', '--schema', schemas[schema], ...files.slice(n, n + 500)], {
      encoding: 'utf8',
      maxBuffer: 256 * 1024 * 1024,
    });
    const valid = (run.stderr.match(/ validates$/gm) ?? []).length;
    if (run.status !== 0 || valid !== files.slice(n, n + 500).length) {
      complaints.push(...run.stderr.split('\n').filter((line) => line !== '' && !line.endsWith(' validates')));
    }
  }
  return complaints;
}
