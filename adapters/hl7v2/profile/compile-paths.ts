import type { Path } from '../../../config/yaml-document.ts';
import { type CompileRules, compileExpression, type Evaluate } from './path-compile.ts';
import { PathSyntaxError } from './path-syntax.ts';
import type { CodedPaths, PersonPaths } from './rules.ts';

/** Segments that have a current one, by what is being read. */
export const patientSegments = ['MSH', 'EVN', 'PID', 'PD1', 'NK1', 'PV1', 'PV2', 'AL1', 'IN1'];
export const diagnosisSegments = [...patientSegments, 'DG1'];
export const orderSegments = [...patientSegments, 'ORC', 'OBR', 'TQ1', 'SAC', 'SPM'];
export const itemSegments = [...orderSegments, 'OBX'];
export const mergeSegments = [...patientSegments, 'MRG'];
export const drugSegments = [...patientSegments, 'ORC', 'RXO', 'RXE', 'RXR', 'TQ1'];
export const documentSegments = [...patientSegments, 'ORC', 'OBR', 'TXA'];

export type PathsAt = ReturnType<typeof pathsAt>;

/** Compiles the paths of a profile; `refuse` is told of each that cannot stand where it does, which gives nothing then. */
export const pathsAt =
  (tables: CompileRules['tables'], refuse: (path: Path, error: PathSyntaxError) => void) =>
  (segments: readonly string[]) => {
    const one = (path: Path, source: string | undefined): Evaluate | undefined => {
      if (source === undefined) return undefined;
      try {
        return compileExpression(source, { tables, segments });
      } catch (error) {
        if (!(error instanceof PathSyntaxError)) throw error;
        refuse(path, error);
        return undefined;
      }
    };
    const required = (path: Path, source: string): Evaluate => one(path, source) ?? (() => undefined);
    const coded = (path: Path, source: { code?: string; name?: string } | undefined): CodedPaths => ({
      code: one([...path, 'code'], source?.code),
      name: one([...path, 'name'], source?.name),
    });
    const person = (path: Path, source: { id?: string; name?: string } | undefined): PersonPaths => ({
      id: one([...path, 'id'], source?.id),
      name: one([...path, 'name'], source?.name),
    });
    /** The paths of one section, by their keys: what is compiled and the place that an error names cannot disagree. */
    const section = <S extends object>(where: Path, said: S | undefined): Section<S> => {
      const sourceOf = <Source>(key: string) => (said as Record<string, Source | undefined> | undefined)?.[key];
      return {
        one: (key) => one([...where, key], sourceOf(key)),
        required: (key) => one([...where, key], sourceOf(key)) ?? (() => undefined),
        coded: (key) => coded([...where, key], sourceOf(key)),
        person: (key) => person([...where, key], sourceOf(key)),
      };
    };
    return { one, required, coded, person, section };
  };

/** Keys of a section under which such a thing stands. */
type KeyOf<S, Source> = { [K in keyof S & string]-?: S[K] extends Source ? K : never }[keyof S & string];

export interface Section<S> {
  one(key: KeyOf<S, string | undefined>): Evaluate | undefined;
  required(key: KeyOf<S, string>): Evaluate;
  coded(key: KeyOf<S, { code?: string | undefined; name?: string | undefined } | undefined>): CodedPaths;
  person(key: KeyOf<S, { id?: string | undefined; name?: string | undefined } | undefined>): PersonPaths;
}
