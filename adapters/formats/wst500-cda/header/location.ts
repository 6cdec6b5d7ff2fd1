import { el, pattern, type XmlElement, type XmlNode } from '../../xml.ts';
import { type Draft, hospital, idElement, nameElement, type Said, say } from '../draft.ts';
import type { ElementKey } from '../elements.ts';

interface Level {
  root: string;
  id: Said;
  name?: Said;
}

/**
 * componentOf: bed in room in department in ward in hospital, each the part of the next (formats.md
 * §1.2, strict: bed and room have no name). A level the pack omits is left out of the chain. Only an
 * inpatient is expected to lie in a bed, so only there is its absence a finding.
 */
export function location(draft: Draft): XmlElement {
  const { encounter } = draft.report;
  const { oid } = draft.pack.tables;
  const levels: Level[] = [
    { root: oid.bed.oid, id: stay(draft, 'encounter.bed', encounter.bed) },
    { root: oid.room.oid, id: stay(draft, 'encounter.room', encounter.room) },
    {
      root: oid.department.oid,
      id: say(draft, 'encounter.department', encounter.department?.code, 'code'),
      name: say(draft, 'encounter.department', encounter.department?.name, 'name'),
    },
    {
      root: oid.ward.oid,
      id: stay(draft, 'encounter.ward', encounter.ward?.code, 'code'),
      name: stay(draft, 'encounter.ward', encounter.ward?.name, 'name'),
    },
  ];
  let whole = partOf(hospital(draft));
  for (const { root, id, name } of levels.reverse()) {
    if (id === undefined && name === undefined) continue;
    whole = partOf([idElement(root, id), nameElement(name), whole]);
  }
  return el('componentOf', {}, [
    el('encompassingEncounter', {}, [
      el('effectiveTime'),
      el('location', {}, [el('healthCareFacility', {}, [el('serviceProviderOrganization', {}, [whole])])]),
    ]),
  ]);
}

const partOf = pattern<[children: Array<XmlNode | undefined>]>(1, (children) =>
  el('asOrganizationPartOf', { classCode: 'PART' }, [
    el('wholeOrganization', { classCode: 'ORG', determinerCode: 'INSTANCE' }, [children]),
  ]),
);

function stay(draft: Draft, key: ElementKey, value: string | undefined, part?: string): Said {
  return say(draft, key, value, part, draft.report.encounter.patientClass === 'inpatient');
}
