import t from 'tap';
import { placeOf } from '../../../agent/support/errors.ts';

function thrownBy(make: () => Error): string {
  try {
    throw make();
  } catch (error) {
    return placeOf(error) ?? '';
  }
}

t.test('the place of a fault names the program, and nothing of what it said', async (t) => {
  const place = thrownBy(() => new RangeError('ZHANG^SAN\n    at 110101199003070011'));
  t.match(place, /^RangeError at .*errors\.test\.ts:\d+/);
  t.notMatch(place, /ZHANG|1101/);
  t.match(
    thrownBy(() => new TypeError()),
    /^TypeError at .*errors\.test\.ts/,
  );
  t.ok(place.split(' at ').length <= 4, 'the innermost calls are enough');
  const bare = new Error('x');
  delete bare.stack;
  t.equal(placeOf(bare), 'Error');
  t.equal(placeOf('text'), undefined);
});
