import { all, child, type Node, observations, parse } from '../adapters/formats/wst500-cda/flatten.ts';

/** What a C0007 document says, read by a parser that is not the writer's. */
export interface ReadDocument {
  root: Node;
  documentId: string | undefined;
  setId: string | undefined;
  version: string | undefined;
  /** Document id and version of the one it replaces. */
  replaces: { id: string | undefined; version: string | undefined } | undefined;
  name: string | undefined;
  residentId: string | undefined;
  reportNumber: string | undefined;
  specimenNumber: string | undefined;
  /** The coded entries: local item code → value and unit as written. */
  results: Record<string, string>;
  /** The rows of the readable table: code, name, result, unit, reference range, hint. */
  rows: string[][];
}

const oid = { report: '2.16.156.10011.1.33', specimen: '2.16.156.10011.1.14' };

/** Reads a document; throws where it is not well-formed or not valid UTF-8. */
export function readDocument(bytes: Uint8Array): ReadDocument {
  const root = parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  const role = child(root, 'recordTarget', 'patientRole');
  const roleId = (of: string) =>
    role?.children.find((c) => c.name === 'id' && c.attributes.root === of)?.attributes.extension;
  const parent = child(root, 'relatedDocument', 'parentDocument');
  const results: Record<string, string> = {};
  for (const organizer of all(root, 'organizer')) {
    const code = child(observations(organizer, 'DE04.30.019.00')[0], 'value')?.text;
    const value = child(observations(organizer, 'DE04.30.015.00')[0], 'value')?.attributes.value;
    const unit = child(observations(organizer, 'DE04.30.016.00')[0], 'value')?.text;
    if (code !== undefined && value !== undefined) results[code] = `${value} ${unit}`;
  }
  return {
    root,
    documentId: child(root, 'id')?.attributes.extension,
    setId: child(root, 'setId')?.attributes.extension,
    version: child(root, 'versionNumber')?.attributes.value,
    replaces: parent && {
      id: child(parent, 'id')?.attributes.extension,
      version: child(parent, 'versionNumber')?.attributes.value,
    },
    name: child(role, 'patient', 'name')?.text,
    residentId: child(role, 'patient', 'id')?.attributes.extension,
    reportNumber: roleId(oid.report),
    specimenNumber: roleId(oid.specimen),
    results,
    rows: all(root, 'tr')
      .map((row) => row.children.filter((c) => c.name === 'td').map((c) => c.text))
      .filter((row) => row.length > 0),
  };
}
