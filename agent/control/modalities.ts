/**
 * Defined terms of Modality (0008,0060), PS3.3 C.7.3.1.1.1, the retired ones too. What a header says there is text from
 * outside: only these words are shown to people who may not see patient data.
 */
const definedTerms = new Set(
  (
    'ANN AR AS ASMT AU BDUS BI BMD CD CF CFM CP CR CS CT CTPROTOCOL DD DF DG DM DMS DOC DS DX EC ECG EEG EMG EOG EPS ES FA ' +
    'FID FS GM HC HD IO IOL IVOCT IVUS KER KO LEN LP LS M3D MA MG MR MS NM OAM OCT OP OPM OPR OPT OPTBSV OPTENF OPV OSS OT ' +
    'PA PLAN POS PR PT PX REG RESP RF RG RTDOSE RTIMAGE RTINTENT RTPLAN RTRAD RTRECORD RTSEGANN RTSTRUCT RWV SEG SM SMR SR ' +
    'SRF ST STAIN TEXTUREMAP TG US VA VF XA XAPROTOCOL XC'
  ).split(' '),
);

/** Those that are defined terms; `?` once for all others. */
export function shownModalities(said: readonly string[]): string[] {
  const known = said.filter((term) => definedTerms.has(term));
  return known.length === said.length ? known : [...known, '?'];
}
