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

/** Compiles the paths of a profile; `refuse` makes the error of one that cannot stand where it does. */
export const pathsAt =
  (tables: CompileRules['tables'], refuse: (path: Path, error: PathSyntaxError) => Error) =>
  (segments: readonly string[]) => {
    const one = (path: Path, source: string | undefined): Evaluate | undefined => {
      if (source === undefined) return undefined;
      try {
        return compileExpression(source, { tables, segments });
      } catch (error) {
        if (error instanceof PathSyntaxError) throw refuse(path, error);
        throw error;
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
    return { one, required, coded, person };
  };
