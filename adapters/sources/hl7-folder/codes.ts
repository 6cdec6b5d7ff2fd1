import { createDecisions } from '../watching/decisions.ts';
import type { FolderCodes } from '../watching/taking.ts';

export const hl7FolderCodes = {
  lost: 'HL7-2130',
  unfinished: 'HL7-2131',
  unreadable: 'HL7-2132',
  notPutAway: 'HL7-2134',
  archive: 'HL7-2135',
  notRemembered: 'HL7-2136',
  tooMany: 'HL7-2137',
} as const satisfies FolderCodes;

/** The numbers stand in files for ever, as HL7-2100 = 100 does. */
export const hl7Decisions = createDecisions('HL7', 2100, { 'not-hl7': 2, empty: 3, acknowledgements: 4 });
