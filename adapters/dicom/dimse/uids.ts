/** DICOM application context name, PS3.7 Annex A.2.1: the only one there is. */
export const applicationContext = '1.2.840.10008.3.1.1.1';
/** Verification SOP class, C-ECHO (PS3.4 Annex A). */
export const verificationClass = '1.2.840.10008.1.1';

/** Storage SOP classes have this root (PS3.4 Table B.5-1) … */
const storageRoot = '1.2.840.10008.5.1.4.1.1.';
/** … but for these two of radiotherapy (same table). */
const storageElsewhere = new Set(['1.2.840.10008.5.1.4.34.7', '1.2.840.10008.5.1.4.34.10']);

/** True for the standard's storage SOP classes. Private ones are the configuration's. */
export const isStorageClass = (uid: string): boolean => uid.startsWith(storageRoot) || storageElsewhere.has(uid);

/** True for a UID of the DICOM standard itself (PS3.6 Annex A); all others are somebody's own. */
export const isStandard = (uid: string): boolean => uid.startsWith('1.2.840.10008.');

/**
 * Digits and dots, 1 to 64 characters (PS3.5 §9.1). Leading zeros and empty components are not looked for: devices
 * send them, and they do no harm here.
 */
export const isUid = (text: string): boolean => /^[0-9.]{1,64}$/.test(text);

/** A UID as it stands in a PDU or a command set: ASCII, padded with NUL, by some senders with a space. */
export const readUid = (bytes: Uint8Array): string =>
  Buffer.from(bytes)
    .toString('latin1')
    .replace(/[\0 ]+$/, '');
