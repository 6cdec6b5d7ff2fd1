/**
 * Puts the blob of a single executable application into a copy of Node's own ELF binary.
 *
 * Node looks for it in the program's notes (PT_NOTE) by name. Notes must be loaded with the program, and
 * there is no room for another program header; so the last loaded segment, whose tail is memory without
 * file content (.bss), is written out in full and continued with the notes. No header moves: what a
 * loader, however old, knows about the program stays as it was. Symbols and section headers, which only
 * debuggers read, lie behind that segment and are left out (16 MB).
 * System V ABI, chapter 5; Node's `Single executable applications`.
 */
const noteName = 'NODE_SEA_BLOB';
/** Node reads the last character at start: `1` says that there is a blob. */
const fuse = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2:';

const PT_LOAD = 1;
const PT_NOTE = 4;
const PROGRAM_HEADER_BYTES = 56;
const PAGE = 4096n;

interface Segment {
  /** Where its program header lies in the file. */
  header: number;
  type: number;
  offset: bigint;
  address: bigint;
  inFile: bigint;
  inMemory: bigint;
}

/** Whether a file begins as a 64-bit little-endian ELF program does. */
const isElf = (program: Buffer): boolean => program.subarray(0, 6).equals(Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1]));

/**
 * The program with the blob. Throws a plain Error when the program is not laid out as Node's is: a new
 * version of Node that is must be looked at, not guessed at.
 */
export function withBlobInElf(node: Buffer, blob: Uint8Array): Buffer {
  if (!isElf(node)) throw new Error('not a 64-bit ELF program');
  const segments = readSegments(node);
  const loaded = segments.filter(({ type }) => type === PT_LOAD);
  const last = loaded.reduce((a, b) => (b.address > a.address ? b : a));
  if (loaded.some(({ offset }) => offset > last.offset)) throw new Error('the last segment is not last in the file');
  const notes = segments.filter(({ type }) => type === PT_NOTE);
  const [note] = notes;
  if (note === undefined || notes.length > 1) throw new Error('one note segment expected');

  const before = node.subarray(0, Number(last.offset + last.inFile));
  // The address decides the alignment; in the file it is the same, for segments are loaded by pages.
  const address = (last.address + last.inMemory + PAGE - 1n) & -PAGE;
  const offset = last.offset + (address - last.address);
  const known = node.subarray(Number(note.offset), Number(note.offset + note.inFile));
  const content = Buffer.concat([padded(known), noteOf(blob)]);
  const program = Buffer.concat([before, Buffer.alloc(Number(offset) - before.length), content]);

  const size = BigInt(content.length);
  place(program, last.header, { ...last, inFile: address + size - last.address });
  place(program, note.header, { ...note, offset, address, inFile: size });
  // The table of sections is gone: e_shoff, e_shnum, e_shstrndx.
  program.writeBigUInt64LE(0n, 0x28);
  program.writeUInt16LE(0, 0x3c);
  program.writeUInt16LE(0, 0x3e);
  return lit(program);
}

function readSegments(elf: Buffer): Segment[] {
  const table = Number(elf.readBigUInt64LE(0x20));
  if (elf.readUInt16LE(0x36) !== PROGRAM_HEADER_BYTES) throw new Error('unknown program headers');
  return Array.from({ length: elf.readUInt16LE(0x38) }, (_, at) => {
    const header = table + at * PROGRAM_HEADER_BYTES;
    return {
      header,
      type: elf.readUInt32LE(header),
      offset: elf.readBigUInt64LE(header + 8),
      address: elf.readBigUInt64LE(header + 16),
      inFile: elf.readBigUInt64LE(header + 32),
      inMemory: elf.readBigUInt64LE(header + 40),
    };
  });
}

/** Writes where a segment lies; in memory it is then as long as in the file. */
function place(elf: Buffer, header: number, { offset, address, inFile }: Segment): void {
  elf.writeBigUInt64LE(offset, header + 8);
  elf.writeBigUInt64LE(address, header + 16);
  elf.writeBigUInt64LE(address, header + 24);
  elf.writeBigUInt64LE(inFile, header + 32);
  elf.writeBigUInt64LE(inFile, header + 40);
}

const padded = (bytes: Uint8Array): Buffer => Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);

function noteOf(blob: Uint8Array): Buffer {
  const name = Buffer.from(`${noteName}\0`);
  const header = Buffer.alloc(12);
  header.writeUInt32LE(name.length, 0);
  header.writeUInt32LE(blob.length, 4);
  return Buffer.concat([header, padded(name), padded(blob)]);
}

function lit(program: Buffer): Buffer {
  const at = program.indexOf(`${fuse}0`);
  if (at < 0 || program.indexOf(`${fuse}0`, at + 1) >= 0) throw new Error('the fuse is not there exactly once');
  program.write('1', at + fuse.length, 'latin1');
  return program;
}
