import fc from 'fast-check';
import t from 'tap';
import { el, pattern, shared, toXml, type XmlElement, xmlBytes } from '../../../adapters/formats/xml.ts';
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

/** An element with an attribute, a content and two children that differ, as a tree and as a pattern. */
const tree = (value: string, text: string, child: XmlElement | undefined, list: XmlElement[]): XmlElement =>
  el('a', { fixed: '<', value }, [el('b', {}, text), child, el('c', { v: '&' }, '固定'), ...list]);
const made = pattern<[value: string, text: string, child: XmlElement | undefined, list: XmlElement[]]>(
  4,
  (value = '', text = '', child, list) =>
    el('a', { fixed: '<', value }, [el('b', {}, text), child, el('c', { v: '&' }, '固定'), list]),
);

t.test('a filled pattern is written as the same tree of elements would be, errors included', async () => {
  const text = fc.string({ unit: 'binary', maxLength: 30 });
  const child = text.map((value) => el('d', { value }, value));
  const written = (node: () => XmlElement): string => {
    try {
      return toXml(node());
    } catch (error) {
      return `${(error as { code?: string }).code} ${(error as { where?: string }).where}`;
    }
  };
  fc.assert(
    fc.property(text, text, fc.option(child, { nil: undefined }), fc.array(child, { maxLength: 3 }), (...values) => {
      return written(() => el('r', {}, [made(...values)])) === written(() => el('r', {}, [tree(...values)]));
    }),
  );
});

t.test('an element that a pattern leaves empty is closed at once', async (t) => {
  const content = pattern<[filling: string | undefined]>(1, (filling = '') => el('b', { v: '1' }, filling));
  const list = pattern<[filling: XmlElement[]]>(1, (filling = '') => el('b', {}, [filling]));
  const root = el('a', {}, [content(''), content(undefined), content('x'), list([]), list([el('c')])]);
  t.equal(toXml(root), `${declaration}<a><b v="1"/><b v="1"/><b v="1">x</b><b/><b><c/></b></a>\n`);
});

t.test('a stand-in of a pattern is refused outside of it, and an element of holes only', async (t) => {
  let leaked = '';
  pattern(1, (hole = '') => {
    leaked = hole;
    return el('a', {}, [el('b'), hole]);
  });
  t.throws(() => toXml(el('a', {}, leaked)), { code: 'MAP-3010', where: 'a' });
  t.throws(() => pattern(2, (one = '', two = '') => el('a', {}, [one, two])), TypeError);
});

t.test('a long document has memory of its own and says nothing of the one before', async (t) => {
  const long = xmlBytes(el('a', {}, '检验&𠮷é\r'.repeat(60_000)));
  const copy = Buffer.from(long).toString('utf8');
  t.equal(copy, `${declaration}<a>${'检验&amp;𠮷é&#13;'.repeat(60_000)}</a>\n`);
  t.throws(() => xmlBytes(el('a', {}, ['x'.repeat(100_000), el('b', {}, '\0')])), { code: 'MAP-3010', where: 'a/b' });
  const short = xmlBytes(el('a'));
  t.equal(short.buffer.byteLength, short.byteLength);
  t.equal(Buffer.from(short).toString(), `${declaration}<a/>\n`);
  t.equal(Buffer.from(long).toString('utf8'), copy);
});
