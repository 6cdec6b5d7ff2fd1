/**
 * What agent/ needs to know of a DICOM header; an adapter reads it (adapters/dicom), for agent/ knows no format. Text is
 * decoded, values otherwise as sent; UIDs without padding.
 */
export interface ImageFacts {
  sopClassUid: string;
  sopInstanceUid: string;
  transferSyntaxUid: string;
  studyUid: string;
  seriesUid: string;
  patientId?: string;
  patientName?: PersonName;
  /** Of (0010,1000) and of the items of (0010,1002). */
  otherPatientIds?: string[];
  issuerOfPatientId?: string;
  /** `M`, `F`, `O` or as sent. */
  sex?: string;
  /** YYYYMMDD. */
  birthDate?: string;
  accessionNumber?: string;
  studyId?: string;
  /** YYYYMMDD, HHMMSS.FFFFFF as sent. */
  studyDate?: string;
  studyTime?: string;
  studyDescription?: string;
  seriesDescription?: string;
  modality?: string;
  bodyPart?: string;
  institutionName?: string;
  /** Requested Procedure Priority (0040,1003), where the sender writes one. */
  priority?: string;
  seriesNumber?: number;
  instanceNumber?: number;
  numberOfFrames?: number;
  /** Which charset the text was read in, as a name of ours (`utf-8`, `gb18030`, `iso-8859-1` …). */
  charset: string;
  /** The label was absent or wrong and the bytes decided. */
  charsetGuessed: boolean;
}

/** Component groups of PN (PS3.5 §6.2): `family^given^middle^prefix^suffix` each. */
export interface PersonName {
  alphabetic?: string;
  ideographic?: string;
  phonetic?: string;
}

/** The beginning of a file, wherever it lies: on disk, or sealed in the spool. */
export interface HeadSource {
  /** Bytes of the whole file. */
  size: number;
  /** The first `length` bytes, fewer where the file ends before. Rejects with QUE-4003 when they are damaged. */
  read(length: number): Promise<Uint8Array>;
}

export interface ImageReader {
  /** `code` says why the header gives no facts (DCM-22…). Rejects only with what `read` of the source rejected with. */
  read(head: HeadSource): Promise<{ ok: true; header: ImageFacts } | { ok: false; code: string }>;
}
