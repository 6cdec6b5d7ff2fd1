/** Charsets a message can be decoded from. Every GB label means GB18030, the superset of GB2312 and GBK. */
export const charsets = [
  'UTF-8',
  'GB18030',
  'ISO-8859-1',
  'US-ASCII',
  'UTF-16LE',
  'UTF-16BE',
  'Big5',
  'ISO-8859-2',
  'ISO-8859-5',
  'ISO-8859-15',
] as const;
export type Charset = (typeof charsets)[number];

const labels = new Map<string, Charset>([
  // UNICODE means UTF-8 in practice, also where the standard meant UCS-2 (reference/hl7v2.md §2.10).
  ...['UTF8', 'UNICODE', 'UNICODEUTF8'].map((label) => [label, 'UTF-8'] as const),
  ...['GB18030', 'GB180302000', 'GB180302005', 'GB180302022', 'GBK', 'GB2312', 'GB231280', 'GB23121980'].map(
    (label) => [label, 'GB18030'] as const,
  ),
  ...['CP936', 'MS936', 'WINDOWS936', 'EUCCN', 'GB'].map((label) => [label, 'GB18030'] as const),
  ...['88591', 'ISO88591', 'LATIN1', 'ISOIR100'].map((label) => [label, 'ISO-8859-1'] as const),
  ...['ASCII', 'USASCII', 'ISOIR6'].map((label) => [label, 'US-ASCII'] as const),
  ...['UTF16', 'UTF16LE', 'UNICODEUTF16'].map((label) => [label, 'UTF-16LE'] as const),
  ['UTF16BE', 'UTF-16BE'],
  ['BIG5', 'Big5'],
  ...['88592', 'ISO88592'].map((label) => [label, 'ISO-8859-2'] as const),
  ...['88595', 'ISO88595'].map((label) => [label, 'ISO-8859-5'] as const),
  ...['885915', 'ISO885915'].map((label) => [label, 'ISO-8859-15'] as const),
]);

/**
 * The charset that a label of MSH-18 (table 0211) or of a profile means; spelling, case and punctuation
 * do not matter (`GB 18030-2000`, `gb18030`, `8859/1`). Undefined for a label nobody knows.
 */
export const charsetOfLabel = (label: string): Charset | undefined =>
  labels.get(label.toUpperCase().replaceAll(/[\s_./-]/g, ''));
