import type { JournalEntry } from '../store/contract.ts';
import { QianzhiError } from '../support/errors.ts';
import type { JournalContent } from './format.ts';

/** An institution as its documents name it. */
export interface Institution {
  orgCode: string;
  name: string;
}

/** Where the agent stands, and the further institutions it serves. */
export interface Site extends Institution {
  institutions?: Institution[];
}

/** The site as it stands in the configuration. */
export const siteOf = (site: {
  org_code: string;
  name: string;
  institutions: ReadonlyArray<{ org_code: string; name: string }>;
}): Site => ({
  orgCode: site.org_code,
  name: site.name,
  institutions: site.institutions.map(({ org_code, name }) => ({ orgCode: org_code, name })),
});

/**
 * The institution whose record it is. A withdrawal goes out whatever is configured by now.
 * Throws QianzhiError MAP-3041 where the record's is no longer one of the site.
 */
export function institutionFor(
  { orgCode, name, institutions = [] }: Site,
  { institution }: JournalContent['context'],
  action: JournalEntry['action'],
): Institution {
  if (institution === undefined || institution === orgCode) return { orgCode, name };
  const known = institutions.find((one) => one.orgCode === institution);
  if (!known && action === 'publish') throw new QianzhiError('MAP-3041');
  return known ?? { orgCode: institution, name: '' };
}
