/** One for each charset: making one costs more than decoding a name. */
const strict = new Map<string, TextDecoder>();

const latin1 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');

/** Decodes bytes that must be valid in `charset`, a WHATWG name; undefined when they are not. */
export function decodeStrictly(bytes: Uint8Array, charset: string): string | undefined {
  // The platform's own iso-8859-1 is windows-1252, which knows letters where DICOM has controls.
  if (charset === 'iso-8859-1') return latin1(bytes);
  let decoder = strict.get(charset);
  if (decoder === undefined) {
    decoder = new TextDecoder(charset, { fatal: true });
    strict.set(charset, decoder);
  }
  try {
    return decoder.decode(bytes);
  } catch {
    // What a converter keeps of bytes that were no text must not meet the next value.
    strict.delete(charset);
    return undefined;
  }
}

/** Decodes bytes in `charset`, U+FFFD where they are not valid. */
export function decodeLossily(bytes: Uint8Array, charset: string): string {
  return charset === 'iso-8859-1' ? latin1(bytes) : new TextDecoder(charset).decode(bytes);
}
