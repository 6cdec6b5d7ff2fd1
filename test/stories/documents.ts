import { all, child, type Node, observations, parse } from '../adapters/formats/wst500-cda/flatten.ts';

/** What a document says, as a clinician would read it. */
export interface Told {
  name: string;
  residentId: string;
  /** `K 4.1` of laboratory items, `所见 …` and `提示 …` of examinations, in document order. */
  values: string[];
}

const oidOfResidentId = '2.16.156.10011.1.3';

/** Reads a rendered WS/T 500 document back, from the parts a platform would read. */
export function tell(xml: string): Told {
  const root = parse(xml);
  const patient = child(root, 'recordTarget', 'patientRole', 'patient');
  const id = patient?.children.find((n) => n.name === 'id' && n.attributes.root === oidOfResidentId);
  return {
    name: child(patient, 'name')?.text ?? '',
    residentId: id?.attributes.extension ?? '',
    values: [...laboratory(root), ...exam(root)],
  };
}

/** Rows of the readable tables: `K 4.1` of items, `大肠埃希菌/头孢曲松 0.5 mg/L S` of what grew. */
const laboratory = (root: Node): string[] =>
  all(root, 'table').flatMap((table) => {
    const heads = all(table, 'th').map(({ text }) => text);
    return all(table, 'tbody')
      .flatMap((body) => body.children)
      .map(({ children }) => {
        const of = (head: string) => children[heads.indexOf(head)]?.text ?? '';
        if (heads.includes('项目代码')) return `${of('项目代码')} ${of('结果')}`;
        const grew = [of('细菌'), of('药敏药物')].filter((text) => text !== '').join('/');
        return [grew, of('药敏结果值'), of('药敏结果')].filter((text) => text !== '').join(' ');
      });
  });

const exam = (root: Node): string[] =>
  (
    [
      ['所见', 'DE04.50.131.00'],
      ['提示', 'DE04.50.132.00'],
    ] as const
  ).flatMap(([word, code]) =>
    observations(root, code).map((observation) => `${word} ${child(observation, 'value')?.text ?? ''}`),
  );
