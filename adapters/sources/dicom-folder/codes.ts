import type { FolderCodes } from '../watching/taking.ts';

export const dicomFolderCodes = {
  lost: 'DCM-2261',
  unreadable: 'DCM-2262',
  notPutAway: 'DCM-2263',
  archive: 'DCM-2264',
  notRemembered: 'DCM-2265',
  tooMany: 'DCM-2266',
  unfinished: 'DCM-2204',
} as const satisfies FolderCodes;
