/**
 * What a platform says of each instance of a STOW-RS request: the Store Instances Response Module (PS3.18 Annex I) in
 * the DICOM JSON Model (PS3.18 Annex F).
 */
export interface StoreAnswer {
  /** By SOP Instance UID: Warning Reason (0008,1196) if any. Referenced SOP Sequence (0008,1199). */
  stored: Map<string, number | undefined>;
  /** By SOP Instance UID. Failed SOP Sequence (0008,1198). */
  failed: Map<string, Failure>;
  /** Failures that name no instance: what could not be read has no UID. */
  nameless: Failure[];
}

export interface Failure {
  /** Failure Reason (0008,1197). */
  reason: number | undefined;
  /**
   * Google's own FailureDetail (0009,0097) is there: it answers 409 with reason 0110 both for a UID that it holds with
   * other content and for data at fault (healthcare-api-dicom-fuse#20, dcmjs#249), neither of which passes.
   */
  googleDetail: boolean;
}

type Dataset = Record<string, unknown>;
const isDataset = (value: unknown): value is Dataset =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Values of an attribute, `tag` as eight hexadecimal digits; empty when it is absent or no attribute. */
export function valuesOf(dataset: Dataset, tag: string): unknown[] {
  const attribute = dataset[tag];
  const values = isDataset(attribute) ? attribute.Value : undefined;
  return Array.isArray(values) ? values : [];
}

/** A UID without the padding that some servers leave on; undefined when there is none. */
export function uidOf(dataset: Dataset, tag: string): string | undefined {
  const [value] = valuesOf(dataset, tag);
  const uid = typeof value === 'string' ? value.replace(/[\0 ]+$/, '') : '';
  return uid === '' ? undefined : uid;
}

/** A whole number, which some servers write as a string. */
export function numberOf(dataset: Dataset, tag: string): number | undefined {
  const [value] = valuesOf(dataset, tag);
  const number = typeof value === 'string' && /^ *\d{1,9} *$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) && number >= 0 ? number : undefined;
}

/** The datasets of a DICOM JSON answer, alone or in an array; undefined when it is no such thing. */
export function datasetsOf(body: Buffer): Dataset[] | undefined {
  try {
    const json: unknown = JSON.parse(body.toString('utf8'));
    const datasets = Array.isArray(json) ? json : [json];
    return datasets.every(isDataset) ? datasets : undefined;
  } catch {
    return undefined;
  }
}

/** Reads the answer; undefined when it is none. A UID that is both stored and failed counts as neither. */
export function readStoreAnswer(body: Buffer): StoreAnswer | undefined {
  const datasets = datasetsOf(body);
  if (datasets === undefined) return undefined;
  const answer: StoreAnswer = { stored: new Map(), failed: new Map(), nameless: [] };
  for (const dataset of datasets) {
    for (const item of valuesOf(dataset, '00081199').filter(isDataset)) {
      const uid = uidOf(item, '00081155');
      if (uid !== undefined) answer.stored.set(uid, numberOf(item, '00081196'));
    }
    for (const item of valuesOf(dataset, '00081198').filter(isDataset)) {
      const failure = { reason: numberOf(item, '00081197'), googleDetail: item['00090097'] !== undefined };
      const uid = uidOf(item, '00081155');
      if (uid === undefined) answer.nameless.push(failure);
      else answer.failed.set(uid, failure);
    }
  }
  for (const uid of answer.failed.keys()) {
    if (answer.stored.delete(uid)) answer.failed.delete(uid);
  }
  return answer;
}
