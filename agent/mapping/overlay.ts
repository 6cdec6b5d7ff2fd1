import { personOf } from '../clinical/patients/known-person.ts';
import { survivorOf } from '../clinical/patients/merge.ts';
import type { PatientState } from '../clinical/patients/types.ts';
import type { ReportState } from '../clinical/reports/types.ts';
import type { MappingStore } from '../store/contract.ts';

/** What is known of reports and patients while one message is mapped: the store, and what this batch changed so far. */
export interface Known {
  report(reportKey: string): ReportState | undefined;
  /** Every record of a patient that has a state, oldest first. */
  reportsOf(patientKey: string): ReportState[];
  /** Whether some that were asked for cannot be read back: they were left out. */
  damaged(): boolean;
  patient(patientKey: string): PatientState | undefined;
  /** What is known of the patient of a number, also from the numbers merged into it. */
  person(patientKey: string): PatientState | undefined;
  /** The number under which everything of a patient goes now. */
  survivor(patientKey: string): string;
  setReport(state: ReportState): void;
  setPatient(state: PatientState): void;
}

/** Changes of one batch over the store. A message's own are kept apart until it is through: one that throws leaves none. */
export function openOverlay(store: MappingStore) {
  const reports = new Map<string, ReportState>();
  const patients = new Map<string, PatientState>();
  /** Every record asks for its patient several times, and the records of one patient come together. */
  const read = new Map<string, PatientState | undefined>();
  const stored = (patientKey: string): PatientState | undefined => {
    if (!read.has(patientKey)) read.set(patientKey, store.patient(patientKey));
    return read.get(patientKey);
  };
  return {
    reports: (): ReportState[] => [...reports.values()],
    patients: (): PatientState[] => [...patients.values()],
    begin(): Known & { keep(): void } {
      let damaged = false;
      const changedReports = new Map<string, ReportState>();
      const changedPatients = new Map<string, PatientState>();
      const report = (key: string) => changedReports.get(key) ?? reports.get(key) ?? store.report(key);
      const patient = (key: string) => changedPatients.get(key) ?? patients.get(key) ?? stored(key);
      return {
        report,
        patient,
        person: (key) => personOf(key, patient),
        survivor: (key) => survivorOf(key, patient),
        reportsOf(patientKey) {
          const found = store.reportsOf(patientKey, () => {
            damaged = true;
          });
          const all = new Map(found.map((state) => [state.reportKey, state]));
          for (const changes of [reports, changedReports]) for (const [key, state] of changes) all.set(key, state);
          return [...all.values()].filter((state) => state.patientKey === patientKey);
        },
        damaged: () => damaged,
        setReport: (state) => void changedReports.set(state.reportKey, state),
        setPatient: (state) => void changedPatients.set(state.patientKey, state),
        keep() {
          for (const [key, state] of changedReports) reports.set(key, state);
          for (const [key, state] of changedPatients) patients.set(key, state);
        },
      };
    },
  };
}
