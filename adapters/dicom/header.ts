/** What the header of an instance says, decoded; values as sent otherwise. UIDs without padding. */
export interface InstanceHeader {
  sopClassUid: string;
  sopInstanceUid: string;
  transferSyntaxUid: string;
  studyUid: string;
  seriesUid: string;
  patientId?: string;
  /** Component groups of PN: alphabetic, ideographic, phonetic; `family^given^middle^prefix^suffix`. */
  patientName?: { alphabetic?: string; ideographic?: string; phonetic?: string };
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
  seriesNumber?: number;
  instanceNumber?: number;
  numberOfFrames?: number;
  /** Which charset the text was read in, as a name of ours (`utf-8`, `gb18030`, `iso-8859-1` …). */
  charset: string;
  /** The label was absent or wrong and the bytes decided. */
  charsetGuessed: boolean;
}
