import { execFile, spawnSync } from 'node:child_process';

/** False, or why tests with Debian's dcmtk cannot run. */
export const noDcmtk =
  spawnSync('storescu', ['--version']).status === 0 ? false : 'dcmtk (Debian dcmtk) is not installed';

export interface Said {
  code: number;
  output: string;
}

/** Runs storescu, dcmsend or echoscu. Without TCP_NODELAY Debian's dcmtk stalls 40 ms an instance (reference/dicom.md §1.2). */
export const dcmtk = (program: string, ...args: string[]): Promise<Said> =>
  new Promise((resolve) => {
    const env = { ...process.env, TCP_NODELAY: '1' };
    execFile(program, args, { env, timeout: 120_000, maxBuffer: 64 << 20 }, (error, out, err) =>
      resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : -1, output: `${out}${err}` }),
    );
  });

/** Which option makes storescu propose a transfer syntax. */
const proposal: Record<string, string> = {
  '1.2.840.10008.1.2': '-xi',
  '1.2.840.10008.1.2.1': '-xe',
  '1.2.840.10008.1.2.2': '-xb',
  '1.2.840.10008.1.2.1.99': '-xd',
  '1.2.840.10008.1.2.5': '-xr',
  '1.2.840.10008.1.2.4.50': '-xy',
  '1.2.840.10008.1.2.4.51': '-xx',
  '1.2.840.10008.1.2.4.57': '-xs',
  '1.2.840.10008.1.2.4.70': '-xs',
  '1.2.840.10008.1.2.4.80': '-xt',
  '1.2.840.10008.1.2.4.81': '-xu',
  '1.2.840.10008.1.2.4.90': '-xv',
  '1.2.840.10008.1.2.4.91': '-xw',
};
export const proposing = (transferSyntax: string): string => proposal[transferSyntax] ?? '-x=';
