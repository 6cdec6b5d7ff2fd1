const { charCodeAt } = String.prototype;

/**
 * The UTF-16 unit of a text at a place, for loops that meet texts from everywhere. The method is taken once:
 * the engine keeps strings in more forms (one byte or two a character, whole, sliced, joined) than one place
 * in the code can tell apart, and looking it up for each character anew made such loops four times slower.
 */
export const unitAt = (text: string, at: number): number => charCodeAt.call(text, at);
