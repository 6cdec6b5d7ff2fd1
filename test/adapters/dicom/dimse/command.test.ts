import fc from 'fast-check';
import t from 'tap';
import { associateAc, readAssociateRequest } from '../../../../adapters/dicom/dimse/associate.ts';
import { buildResponse, readCommand, statusText } from '../../../../adapters/dicom/dimse/command.ts';
import { negotiate } from '../../../../adapters/dicom/dimse/negotiate.ts';
import { commandPdus } from '../../../../adapters/dicom/dimse/pdu.ts';
import { isStorageClass, isUid } from '../../../../adapters/dicom/dimse/uids.ts';
import { QianzhiError } from '../../../../agent/support/errors.ts';
import {
  associateRq,
  commandSet,
  contextResults,
  element,
  readResponse,
  storeRq,
} from '../../sources/dicom-scp/scu.ts';

t.test('a command is read whatever the order of its elements, padding and group length', (t) => {
  const expected = {
    field: 1,
    messageId: 258,
    sopClassUid: '1.2.840.10008.5.1.4.1.1.2',
    sopInstanceUid: '1.2.3',
    hasDataset: true,
  };
  t.same(readCommand(storeRq({ messageId: 258, sopInstance: '1.2.3' })), expected);
  const backwards = Buffer.concat([
    element(0x1000, Buffer.from('1.2.3 ')),
    element(0x0800, Buffer.from([1, 0])),
    element(0x0110, Buffer.from([2, 1])),
    element(0x0100, Buffer.from([1, 0])),
    element(0x0002, Buffer.from('1.2.840.10008.5.1.4.1.1.2\0\0')),
    element(0x0000, Buffer.from([9, 9, 9, 9])),
  ]);
  t.same(readCommand(backwards), expected);
  t.end();
});

t.test('random and damaged command sets are read or refused with DCM-2239', (t) => {
  const whole = storeRq();
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 5 }),
      fc.nat(whole.length),
      (changes, length) => {
        const bytes = Buffer.from(whole.subarray(0, length));
        for (const [at, value] of changes) if (at < length) bytes[at] = value;
        try {
          readCommand(bytes);
        } catch (error) {
          if (!(error instanceof QianzhiError) || error.code !== 'DCM-2239') throw error;
        }
      },
    ),
    { numRuns: 2000 },
  );
  t.throws(() => readCommand(commandSet(element(0x0100, Buffer.from([1, 0])))), { code: 'DCM-2239' });
  t.throws(() => readCommand(commandSet(element(0x0800, Buffer.from([1, 1])))), { code: 'DCM-2239' });
  t.end();
});

t.test('a response keeps within lengths: comment of 64 characters, even elements, PDUs as the peer wants them', (t) => {
  const command = readCommand(storeRq({ sopInstance: '1.2.345' }));
  const response = buildResponse(command, 0xa700, 'x'.repeat(80));
  const read = readResponse(1, response);
  t.match(read, { status: 'A700', comment: 'x'.repeat(64) });
  t.ok([...read.values.values()].every(({ length }) => length % 2 === 0));
  t.equal(read.values.get(0)?.readUInt32LE(), response.length - 12);
  for (const most of [0, 1, 6, 7, 8, 20, 1000]) {
    const pdus = commandPdus(1, response, most);
    const parts: Buffer[] = [];
    for (let at = 0; at < pdus.length; ) {
      const length = pdus.readUInt32BE(at + 2);
      if (most >= 8) t.ok(length <= most);
      t.equal((length - 6) % 2, 0);
      parts.push(pdus.subarray(at + 12, at + 6 + length));
      at += 6 + length;
      t.equal(pdus[at - length + 5], at === pdus.length ? 3 : 1);
    }
    t.ok(Buffer.concat(parts).equals(response));
  }
  t.same([statusText(0), statusText(0xa700), statusText(0x0122)], ['0000', 'A700', '0122']);
  t.end();
});

t.test('damaged association requests are read or refused with DCM-2235, and every answer can be read', (t) => {
  const whole = associateRq().subarray(6);
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 5 }),
      fc.nat(whole.length),
      (changes, cut) => {
        const bytes = Buffer.from(whole.subarray(0, Math.max(cut, whole.length - 40)));
        for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
        try {
          const request = readAssociateRequest(bytes);
          const { answers, accepted } = negotiate(request.contexts, isStorageClass);
          const us = { maxPduBytes: 131_072, implementationClass: '1.2.3', implementationVersion: 'X' };
          const answer = associateAc(request, answers, us);
          if (answer.readUInt32BE(2) !== answer.length - 6) throw new Error('wrong length');
          if (contextResults(answer.subarray(6)).length !== request.contexts.length)
            throw new Error('an answer is missing');
          if ([...accepted.values()].some(({ transferSyntax }) => !isUid(transferSyntax))) throw new Error('no UID');
        } catch (error) {
          if (!(error instanceof QianzhiError) || error.code !== 'DCM-2235') throw error;
        }
      },
    ),
    { numRuns: 3000 },
  );
  t.end();
});

t.test('storage classes are those of the standard; UIDs are digits and dots of at most 64', (t) => {
  for (const uid of ['1.2.840.10008.5.1.4.1.1.2', '1.2.840.10008.5.1.4.1.1.481.3', '1.2.840.10008.5.1.4.34.7'])
    t.ok(isStorageClass(uid), uid);
  for (const uid of [
    '1.2.840.10008.5.1.4.1.2.2.1',
    '1.2.840.10008.5.1.4.31',
    '1.2.840.10008.1.1',
    '1.2.840.10008.5.1.4.1.1',
    '',
  ])
    t.notOk(isStorageClass(uid), uid);
  t.same(['1.2', '0', '1.'.repeat(32), '', `${'1.'.repeat(32)}1`, '1 2', '1.2\n', '../x'].map(isUid), [
    true,
    true,
    true,
    false,
    false,
    false,
    false,
    false,
  ]);
  t.end();
});
