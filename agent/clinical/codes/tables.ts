import type { ReadAsset } from '../../support/assets.ts';
import { QianzhiError } from '../../support/errors.ts';

/** How sure a fact is: read in a named source, concluded from sources, or nobody's word yet. */
export const evidenceGrades = ['verified', 'inferred', 'unverified'] as const;
export type Evidence = (typeof evidenceGrades)[number];

/** One row of a code table: its columns by name. Absent cells are empty strings. */
export type CodeRow = Readonly<Record<string, string>> & { readonly evidence: Evidence; readonly source: string };

export interface CodeTable {
  /** File name without extension, as in `Coded.standard.table`. */
  id: string;
  rows: CodeRow[];
  /** The row whose `column` has this value; undefined when there is none. */
  by(column: string, value: string): CodeRow | undefined;
}

/**
 * Reads `config/codes/<id>.csv`: RFC 4180, UTF-8, first line the column names, `key` column unique.
 * Every row must name its `source` and `evidence`. Throws QianzhiError CFG-5010 with `where` =
 * `codes/<id>:<line>` otherwise.
 */
export function loadCodeTable(id: string, key: string, readAsset: ReadAsset): { table: CodeTable; text: string } {
  const text = readAsset(`config/codes/${id}.csv`);
  const [head, ...body] = parseCsv(text, id);
  if (head === undefined) throw new QianzhiError('CFG-5010', `codes/${id}:1`);
  const rows = body.map(({ cells, line }) => toRow(id, head.cells, cells, line));
  const index = new Map<string, Map<string, CodeRow>>();
  for (const column of head.cells) {
    const values = new Map<string, CodeRow>();
    for (const [n, row] of rows.entries()) {
      const value = row[column] ?? '';
      if (column === key && (value === '' || values.has(value))) {
        throw new QianzhiError('CFG-5010', `codes/${id}:${body[n]?.line ?? 1}`);
      }
      if (!values.has(value)) values.set(value, row);
    }
    index.set(column, values);
  }
  return { table: { id, rows, by: (column, value) => index.get(column)?.get(value) }, text };
}

function toRow(id: string, columns: string[], cells: string[], line: number): CodeRow {
  const where = `codes/${id}:${line}`;
  if (cells.length !== columns.length) throw new QianzhiError('CFG-5010', where);
  const row: Record<string, string> = {};
  for (const [n, column] of columns.entries()) row[column] = cells[n] ?? '';
  const evidence = evidenceGrades.find((grade) => grade === row.evidence);
  if (evidence === undefined || (row.source ?? '') === '') throw new QianzhiError('CFG-5010', where);
  return Object.assign(row, { evidence, source: row.source ?? '' });
}

interface CsvLine {
  cells: string[];
  line: number;
}

/** RFC 4180 with LF or CRLF; blank lines are skipped. A quote that does not close is CFG-5010. */
function parseCsv(text: string, id: string): CsvLine[] {
  const lines: CsvLine[] = [];
  let cells: string[] = [];
  let cell = '';
  let quoted = false;
  let line = 1;
  let startedAt = 1;
  const endLine = () => {
    cells.push(cell);
    if (cells.length > 1 || cell !== '') lines.push({ cells, line: startedAt });
    cells = [];
    cell = '';
  };
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (c === '\n') line++;
    if (quoted) {
      if (c !== '"') cell += c;
      else if (text[i + 1] === '"') {
        cell += '"';
        i++;
      } else quoted = false;
    } else if (c === '"' && cell === '') quoted = true;
    else if (c === ',') {
      cells.push(cell);
      cell = '';
    } else if (c === '\n') {
      endLine();
      startedAt = line;
    } else if (c !== '\r') cell += c;
  }
  if (quoted) throw new QianzhiError('CFG-5010', `codes/${id}:${startedAt}`);
  endLine();
  return lines;
}
