import fc from 'fast-check';
import t from 'tap';
import { el, shared, toXml } from '../../../adapters/formats/xml.ts';
import { child, parse } from './wst500-cda/flatten.ts';

const declaration = '<?xml version="1.0" encoding="UTF-8"?>\n';

t.test(
  'attributes stand in the order given, absent parts are left out, an empty element is closed at once',
  async (t) => {
    const tree = el('a', { z: '1', b: undefined, a: '2' }, [undefined, el('b'), el('c', {}, 'x'), el('d', {}, '')]);
    t.equal(toXml(tree), `${declaration}<a z="1" a="2"><b/><c>x</c><d/></a>\n`);
  },
);

t.test('an element that occurs often is written the same each time, and refused where it first stands', async (t) => {
  const often = shared(el('b', { v: '<' }, [el('c', {}, 'x')]));
  const once = '<b v="&lt;"><c>x</c></b>';
  t.equal(toXml(el('a', {}, [often, el('d', {}, [often])])), `${declaration}<a>${once}<d>${once}</d></a>\n`);
  const bad = shared(el('b', {}, '\0'));
  for (const name of ['first', 'second'])
    t.throws(() => toXml(el(name, {}, [bad])), { code: 'MAP-3010', where: `${name}/b`, message: `MAP-3010 ${name}/b` });
});

t.test('markup in a value stays text', async (t) => {
  const hostile = `</name><!-- ]]> & "'`;
  const root = parse(toXml(el('a', { v: hostile }, [el('name', {}, hostile)])));
  t.equal(root.attributes.v, hostile);
  t.equal(child(root, 'name')?.text, hostile);
  t.equal(root.children.length, 1);
});

t.test('line breaks and tabs survive a parser', async (t) => {
  const text = 'a\tb\nc\r\nd\re';
  const root = parse(toXml(el('a', { v: text }, text)));
  t.equal(root.attributes.v, text);
  t.equal(root.text, text);
});

t.test('a character XML forbids is refused with the element path and without the value', async (t) => {
  for (const bad of ['\0', '\x01', '\x0b', '\x0c', '\x1f', '\ufffe', '\uffff', '\ud800', 'x\udc00']) {
    const error = { code: 'MAP-3010', where: 'a/b', message: 'MAP-3010 a/b' };
    t.throws(() => toXml(el('a', {}, [el('b', {}, `name${bad}`)])), error);
    t.throws(() => toXml(el('a', {}, [el('b', { v: bad })])), error);
  }
});

t.test('any legal text comes back as it was', async () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
      const legal = !/[^\t\n\r -\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u.test(text);
      try {
        const root = parse(toXml(el('a', { v: text }, text)));
        return legal && root.text === text && root.attributes.v === text;
      } catch (error) {
        return !legal && (error as { code?: string }).code === 'MAP-3010';
      }
    }),
  );
});
