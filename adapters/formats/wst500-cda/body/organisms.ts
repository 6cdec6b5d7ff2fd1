import type { LabReport, Organism, Susceptibility } from '../../../../agent/clinical/records/types.ts';
import { el, type XmlElement } from '../../xml.ts';
import { labelled, named } from '../coded-text.ts';
import { stated } from '../draft.ts';

/**
 * What grew in a culture and what acts on it. C0007 has no coded place for either, so they are read:
 * as a table, and as lines where there is no markup and in the result text.
 */
type Row = [organism: Organism, drug?: Susceptibility];

const columns: Array<{ head: string; cell(...row: Row): string | undefined }> = [
  { head: '细菌', cell: ({ organism }) => named(organism) },
  { head: '菌落计数', cell: ({ quantity }) => stated(quantity) },
  { head: '药敏药物', cell: (_, tested) => named(tested?.drug) },
  { head: '药敏结果值', cell: (_, tested) => measured(tested) },
  { head: '药敏方法', cell: (_, tested) => stated(tested?.method) },
  { head: '药敏结果', cell: (_, tested) => stated(tested?.result) },
];

function measured(tested: Susceptibility | undefined): string | undefined {
  const value = stated(tested?.value);
  return value === undefined || stated(tested?.unit) === undefined ? value : `${value} ${tested?.unit}`;
}

const rowsOf = ({ organisms = [] }: LabReport): Row[] =>
  organisms.flatMap((organism): Row[] =>
    organism.susceptibilities.length === 0
      ? [[organism]]
      : organism.susceptibilities.map((tested): Row => [organism, tested]),
  );

/** A line for each drug, or for the organism alone: `细菌：大肠埃希菌(ECO)；药敏药物：头孢唑林；药敏结果：S`. */
export const cultureLines = (report: LabReport): string[] =>
  rowsOf(report).map((row) => labelled(columns.map(({ head, cell }) => [head, cell(...row)])).join('；'));

/** The same as a table; undefined when the report has no culture. */
export function cultureTable(report: LabReport): XmlElement | undefined {
  const rows = rowsOf(report);
  if (rows.length === 0) return undefined;
  const line = (cell: 'th' | 'td', texts: Array<string | undefined>): XmlElement =>
    el(
      'tr',
      {},
      texts.map((text) => el(cell, {}, text)),
    );
  const head = columns.map((column) => column.head);
  return el('table', {}, [
    el('thead', {}, [line('th', head)]),
    el(
      'tbody',
      {},
      rows.map((row) =>
        line(
          'td',
          columns.map(({ cell }) => cell(...row)),
        ),
      ),
    ),
  ]);
}
