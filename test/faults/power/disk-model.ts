import type { Op } from './recording.ts';

/**
 * A disk as a power cut may leave it. What a finished sync covered is there. Of all that came after, each
 * piece may be there or not, in any order, and a write may be there by sectors of 512 bytes. The same holds
 * for names: a create, rename or unlink that no sync of its folder has covered may be undone or done.
 * A rename is one step, as on every journalling file system.
 *
 * Not modelled: a drive that says it has synced and has not, and damage to what was synced.
 */
export const SECTOR = 512;

type Node = FileNode | FolderNode;

type Change = { at: number; write: { offset: number; data: Uint8Array } } | { at: number; size: number };

interface FileNode {
  kind: 'file';
  /** Capacity; `size` bytes of it count. */
  durable: Buffer;
  size: number;
  /** Not covered by a sync yet, in order. */
  pending: Change[];
}
interface FolderNode {
  kind: 'folder';
  durable: Map<string, Node>;
  now: Map<string, Node>;
}
/** One step on names: all its edits or none. `node` undefined: the name goes. */
interface Naming {
  at: number;
  edits: Array<{ folder: FolderNode; name: string; node: Node | undefined }>;
}

/** How much of what no sync has covered survives. */
export interface Luck {
  writes: 'none' | 'all' | 'first' | 'some' | 'sectors';
  names: 'none' | 'all' | 'first' | 'some';
  /** What lies where a file grew but the bytes did not come: zeros, or what the blocks held before. */
  fill: 'zeros' | 'garbage';
}

/** path → bytes, or undefined for an (empty or not) folder. Folders come before what is in them. */
export type Tree = Array<{ path: string; bytes: Buffer | undefined }>;

export interface Disk {
  /** Number of operations applied. */
  at(): number;
  apply(op: Op): void;
  /** Paths with writes that no sync has covered. */
  unsynced(): string[];
  /** The disk after a cut now. */
  afterCut(luck: Luck, random: () => number): Tree;
  /** The disk as the process sees it. */
  asSeen(): Tree;
}

const folder = (): FolderNode => ({ kind: 'folder', durable: new Map(), now: new Map() });
const file = (bytes: Uint8Array = new Uint8Array()): FileNode => ({
  kind: 'file',
  durable: Buffer.from(bytes),
  size: bytes.length,
  pending: [],
});

/** @param base what is durable when the recording begins. */
export function openDisk(base: Tree): Disk {
  const root = folder();
  for (const { path, bytes } of base) {
    const { parent, name } = place(root, path);
    const node = bytes ? file(bytes) : folder();
    parent.durable.set(name, node);
    parent.now.set(name, node);
  }
  let at = 0;
  let naming: Naming[] = [];
  const open = new Map<number, Node>();
  const syncs = new Map<number, { node: Node; at: number }>();

  const rename = (...edits: Array<{ path: string; node: Node | undefined }>): void => {
    const step: Naming = { at, edits: [] };
    for (const { path, node } of edits) {
      const { parent, name } = place(root, path);
      step.edits.push({ folder: parent, name, node });
      if (node) parent.now.set(name, node);
      else parent.now.delete(name);
    }
    naming.push(step);
  };
  const fileOf = (fd: number): FileNode => {
    const node = open.get(fd);
    if (node?.kind !== 'file') throw new Error(`write to an unknown file ${fd}`);
    return node;
  };

  return {
    at: () => at,
    apply(op) {
      at += 1;
      switch (op.op) {
        case 'open': {
          const existing = find(root, op.path);
          if (existing && !op.created) {
            open.set(op.fd, existing);
            if (op.truncated && existing.kind === 'file') existing.pending.push({ at, size: 0 });
            break;
          }
          const made = file();
          rename({ path: op.path, node: made });
          open.set(op.fd, made);
          break;
        }
        case 'close':
          open.delete(op.fd);
          break;
        case 'write':
          fileOf(op.fd).pending.push({ at, write: { offset: op.offset, data: op.data } });
          break;
        case 'truncate':
          fileOf(op.fd).pending.push({ at, size: op.size });
          break;
        case 'sync-begins': {
          const node = open.get(op.fd);
          if (node) syncs.set(op.id, { node, at });
          break;
        }
        case 'sync-ends': {
          const sync = syncs.get(op.id);
          if (!sync) break;
          syncs.delete(op.id);
          if (sync.node.kind === 'file') settle(sync.node, sync.at);
          else naming = settleNames(naming, sync.node, sync.at);
          break;
        }
        case 'rename':
          rename({ path: op.to, node: find(root, op.path) }, { path: op.path, node: undefined });
          break;
        case 'link':
          rename({ path: op.to, node: find(root, op.path) });
          break;
        case 'unlink':
          rename({ path: op.path, node: undefined });
          break;
        case 'mkdir':
          rename({ path: op.path, node: folder() });
          break;
        case 'mark':
          break;
      }
    },
    unsynced: () =>
      list(root, (f) => f.now).flatMap(({ path, node }) =>
        node.kind === 'file' && node.pending.length > 0 ? [path] : [],
      ),
    afterCut(luck, random) {
      const names = new Map<FolderNode, Map<string, Node>>();
      const now = (f: FolderNode): Map<string, Node> => {
        let entries = names.get(f);
        if (!entries) {
          entries = new Map(f.durable);
          names.set(f, entries);
        }
        return entries;
      };
      for (const step of survivors(naming, luck.names, random)) {
        for (const { folder, name, node } of step.edits) {
          if (node) now(folder).set(name, node);
          else now(folder).delete(name);
        }
      }
      return list(root, now).map(({ path, node }) => ({
        path,
        bytes: node.kind === 'file' ? contentAfterCut(node, luck, random) : undefined,
      }));
    },
    asSeen: () =>
      list(root, (f) => f.now).map(({ path, node }) => ({
        path,
        bytes: node.kind === 'file' ? contentWith(node, node.pending) : undefined,
      })),
  };
}

function place(root: FolderNode, path: string): { parent: FolderNode; name: string } {
  const parts = path.split('/');
  const name = parts.pop() ?? '';
  const parent = parts.length === 0 ? root : find(root, parts.join('/'));
  if (parent?.kind !== 'folder') throw new Error(`no folder for ${path}`);
  return { parent, name };
}

function find(root: FolderNode, path: string): Node | undefined {
  let node: Node | undefined = root;
  for (const part of path === '' ? [] : path.split('/')) {
    node = node?.kind === 'folder' ? node.now.get(part) : undefined;
  }
  return node;
}

function list(
  of: FolderNode,
  entries: (f: FolderNode) => Map<string, Node>,
  above = '',
): Array<{ path: string; node: Node }> {
  return [...entries(of)].flatMap(([name, node]) => {
    const path = above + name;
    return [{ path, node }, ...(node.kind === 'folder' ? list(node, entries, `${path}/`) : [])];
  });
}

/** A sync that began at `upTo` has ended: what came before it is durable. */
function settle(node: FileNode, upTo: number): void {
  const covered = node.pending.findIndex((c) => c.at > upTo);
  const done = covered === -1 ? node.pending.splice(0) : node.pending.splice(0, covered);
  for (const change of done) put(node, change);
}

function settleNames(naming: Naming[], synced: FolderNode, upTo: number): Naming[] {
  return naming.filter((step) => {
    if (step.at > upTo || !step.edits.some((e) => e.folder === synced)) return true;
    for (const { folder, name, node } of step.edits) {
      if (node) folder.durable.set(name, node);
      else folder.durable.delete(name);
    }
    return false;
  });
}

function put(content: Pick<FileNode, 'durable' | 'size'>, change: Change): void {
  if ('size' in change) {
    if (change.size > content.size) reach(content, change.size);
    else content.durable.fill(0, change.size, content.size);
    content.size = change.size;
    return;
  }
  const { offset, data } = change.write;
  reach(content, offset + data.length);
  content.durable.set(data, offset);
}

/** Grows to at least `end` bytes, zeros in between. */
function reach(content: Pick<FileNode, 'durable' | 'size'>, end: number): void {
  if (end > content.durable.length) {
    const larger = Buffer.alloc(Math.max(end, content.durable.length * 2, 64 * 1024));
    larger.set(content.durable.subarray(0, content.size));
    content.durable = larger;
  }
  content.size = Math.max(content.size, end);
}

function contentWith(node: FileNode, changes: Change[]): Buffer {
  const content = { durable: Buffer.from(node.durable.subarray(0, node.size)), size: node.size };
  for (const change of changes) put(content, change);
  return content.durable.subarray(0, content.size);
}

/** Those that survive a cut, in their order. */
function survivors<T>(all: T[], luck: Luck['names'], random: () => number): T[] {
  switch (luck) {
    case 'none':
      return [];
    case 'all':
      return all;
    case 'first':
      return all.slice(0, Math.floor(random() * (all.length + 1)));
    case 'some':
      return all.filter(() => random() < 0.5);
  }
}

function contentAfterCut(node: FileNode, luck: Luck, random: () => number): Buffer {
  const all = node.pending;
  const kept = luck.writes === 'sectors' ? all : survivors(all, luck.writes, random);
  const byParts = kept.flatMap((change, i): Change[] => {
    if ('size' in change) return luck.writes !== 'sectors' || random() < 0.5 ? [change] : [];
    // In order up to a moment: the write of that moment is torn.
    if (luck.writes === 'sectors') return sectorsOf(change, () => random() < 0.5);
    if (luck.writes === 'first' && i === kept.length - 1) {
      const sectors = sectorsOf(change, () => true);
      return sectors.slice(0, Math.floor(random() * (sectors.length + 1)));
    }
    return [change];
  });
  const content = contentWith(node, byParts);
  if (luck.fill === 'zeros') return content;
  return Buffer.concat([content.subarray(0, node.size), withGarbage(node, content, byParts, random)]);
}

/** A write as writes of sectors, those that `keep` wants. Sectors are of the file, not of the write. */
function sectorsOf(change: { at: number; write: { offset: number; data: Uint8Array } }, keep: () => boolean): Change[] {
  const { offset, data } = change.write;
  const parts: Change[] = [];
  for (let from = 0; from < data.length; ) {
    const to = Math.min(data.length, from + SECTOR - ((offset + from) % SECTOR));
    if (keep()) parts.push({ at: change.at, write: { offset: offset + from, data: data.subarray(from, to) } });
    from = to;
  }
  return parts;
}

/** What lies beyond the durable size: the bytes that came, and garbage where none did. */
function withGarbage(node: FileNode, content: Buffer, kept: Change[], random: () => number): Buffer {
  const beyond = Buffer.alloc(Math.max(0, content.length - node.size));
  for (let i = 0; i < beyond.length; i++) beyond[i] = Math.floor(random() * 256);
  for (const change of kept) {
    if ('size' in change) continue;
    const { offset, data } = change.write;
    const from = Math.max(offset, node.size);
    const to = Math.min(offset + data.length, content.length);
    if (from < to) beyond.set(data.subarray(from - offset, to - offset), from - node.size);
  }
  return beyond;
}
