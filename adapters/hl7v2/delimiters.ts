/** What MSH-2 declares; a character it leaves out is undefined (`MSH|^~&|` has no escape). */
export interface EncodingCharacters {
  component: string;
  repetition: string | undefined;
  escape: string | undefined;
  subcomponent: string | undefined;
  /** `#` of HL7 2.7. */
  truncation: string | undefined;
}

const usual: EncodingCharacters = {
  component: '^',
  repetition: '~',
  escape: '\\',
  subcomponent: '&',
  truncation: undefined,
};

/**
 * MSH-2, read alike by the answer and by the mapping (reference/hl7v2.md §3.2 point 47). A doubled character counts once:
 * senders that escape their strings once too often write `^~\\&`, and mean by `&` and `\` in their fields what everybody
 * means. Read by place, `\` would be escape and subcomponent at once, so that no escape could ever be resolved. What is not
 * ASCII is no delimiter of anybody, but a character set gone wrong (`¥` for `\`). An empty MSH-2 stands for the usual one.
 */
export function readEncodingCharacters(given: string): EncodingCharacters {
  const set = given.trim();
  if (set === '^~\\&' || set === '') return usual;
  const single = [...set].filter((character, at) => character !== set[at - 1] && character < '\x80');
  const [component = '^', repetition, third, fourth, truncation] = single;
  // Three characters with & last: the escape character was left out.
  const noEscape = third === '&' && fourth === undefined;
  return {
    component,
    repetition,
    escape: noEscape ? undefined : third,
    subcomponent: noEscape ? third : fourth,
    truncation,
  };
}
