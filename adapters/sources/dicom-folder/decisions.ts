import { createDecisions } from '../watching/decisions.ts';

/** 2 and 3 stand in files for ever, as DCM-2200 = 100 does. */
export const dicomDecisions = createDecisions('DCM', 2200, { 'not-dicom': 2, 'media-directory': 3 });
