import t from 'tap';
import { composeStatus } from '../../../agent/status/verdict.ts';
import { skipChromium as skip } from './chromium.ts';
import { healthyParts, knownAccession } from './fixture.ts';
import { open, shown } from './opened-page.ts';

t.setTimeout(600_000);

const images = { files: 3, fileBytes: 1_500_000, unindexed: 0 };

t.test('studies are listed where images come in, with what became of their images', { skip }, async (t) => {
  const model = composeStatus(healthyParts());
  t.equal(await (await open(t, model)).page.locator('#studies-title').count(), 0, 'and nowhere else');
  const { page } = await open(t, { ...model, images }, { locale: 'en-US' });
  const card = page.locator('section', { has: page.locator('#studies-title') });
  await card.locator('tbody tr').first().waitFor();
  const rows = await card.locator('tbody tr').allInnerTexts();
  t.match(rows[0], /7\s+pacs\s+CT\s+30 images.*being received · urgent.*18 waiting for upload\s+cloud.*12 uploaded/s);
  t.match(rows[1], /complete, issue 2 · contradicts itself about the patient.*2 held for a person/s);
});

t.test('a study is found by its accession number, which stands in no address', { skip }, async (t) => {
  const model = { ...composeStatus(healthyParts()), images };
  const { page, complaints } = await open(t, model, { locale: 'en-US' });
  const asked: Array<[method: string, url: string]> = [];
  page.on('request', (request) => asked.push([request.method(), request.url()]));
  const card = page.locator('section', { has: page.locator('#studies-title') });
  const numbers = () => card.locator('tbody .row-button').allInnerTexts();
  await card.locator('tbody tr').first().waitFor();
  t.same(await numbers(), ['7', '6', '5']);
  await card.locator('.search input').fill(` ${knownAccession}`);
  await page.keyboard.press('Enter');
  await card.getByText('1 study found').waitFor();
  t.same(await numbers(), ['6']);
  await card.locator('.search select').selectOption('patient');
  await card.getByRole('button', { name: 'Find', exact: true }).click();
  await card.getByText('No study was found.').waitFor();
  await card.locator('.search select').selectOption('accession');
  await card.getByRole('button', { name: 'Find', exact: true }).click();
  await card.getByText('1 study found').waitFor();
  await page.route('**/api/v1/studies/search', (route) => route.abort());
  await card.locator('.search input').fill('A900002');
  await page.keyboard.press('Enter');
  await card.getByText('The search failed').waitFor();
  t.same(await numbers(), [], 'what was found before does not stand under a search that failed');
  t.equal(await card.getByText('No study was found.').count(), 0, 'nor is that an answer');
  await card.getByRole('button', { name: 'Back to the newest' }).click();
  t.same(await numbers(), ['7', '6', '5']);
  t.equal(await card.locator('.search input').inputValue(), '', 'and what was typed is gone');
  t.ok(asked.some(([method, url]) => method === 'POST' && url.endsWith('/api/v1/studies/search')));
  t.same(
    asked.filter(([, url]) => url.includes(knownAccession)),
    [],
  );
  t.equal(await page.evaluate(() => Object.values(localStorage).join()), '', 'nor is it kept');
  t.same(complaints, ['Failed to load resource: net::ERR_FAILED'], 'the one that was cut');
});

t.test('a message is found by the name it is about, which stands in no address and on no row', { skip }, async (t) => {
  const { page, complaints } = await open(t, composeStatus(healthyParts()), { locale: 'en-US' });
  const addresses: string[] = [];
  page.on('request', (request) => addresses.push(decodeURI(request.url())));
  const card = page.locator('section', { has: page.locator('#messages-title') });
  const numbers = () => card.locator('tbody th').allInnerTexts();
  await card.locator('tbody tr').first().waitFor();
  const newest = await numbers();
  await card.locator('.search select').selectOption('name');
  await card.locator('.search input').fill(' 珅玘');
  await page.keyboard.press('Enter');
  await card.getByText('1 message found').waitFor();
  t.same(await numbers(), newest.slice(1, 2));
  t.notMatch(await shown(card), '珅玘');
  await card.locator('.search input').fill('王');
  await page.keyboard.press('Enter');
  await card.getByText('No message was found.').waitFor();
  t.same(await numbers(), []);
  await card.getByRole('button', { name: 'Back to the newest' }).click();
  t.same(await numbers(), newest);
  t.same(
    addresses.filter((url) => url.includes('珅玘')),
    [],
  );
  t.same(complaints, []);
});

t.test('a study opens image by image, and is sent again after a question', { skip }, async (t) => {
  const model = { ...composeStatus(healthyParts()), images };
  const { page, complaints } = await open(t, model, { locale: 'en-US' });
  const posts: string[] = [];
  page.on('request', (request) => void (request.method() === 'POST' && posts.push(new URL(request.url()).pathname)));
  const card = page.locator('section', { has: page.locator('#studies-title') });
  await card.getByRole('button', { name: '6', exact: true }).click();
  await card.locator('.detail table tbody tr').first().waitFor();
  const lines = await card.locator('.detail table tbody tr').allInnerTexts();
  t.equal(lines.length, 2);
  t.match(lines[0], /6001\s+1\s.*514 KB\s+held for a person\s+cloud\s+DCM-2274/s);
  t.match(await shown(card.locator('.detail')), 'qianzhi study withdraw|restore|deleted 6');
  t.match(await shown(card.locator('.detail')), 'Reports (by message): 182001');
  await card.getByRole('button', { name: 'Send again' }).click();
  t.same(posts, [], 'not before the answer');
  await card.getByRole('button', { name: 'Cancel' }).click();
  await card.getByRole('button', { name: 'Send again' }).click();
  await card.locator('.resend').getByRole('button', { name: 'Send again' }).click();
  await card.getByText('Sent again: 2.').waitFor();
  t.same(posts, ['/api/v1/studies/6/resend']);
  await card.getByRole('button', { name: '7', exact: true }).click();
  await card.getByRole('button', { name: 'Send again' }).click();
  await card.locator('.resend').getByRole('button', { name: 'Send again' }).click();
  await card.getByText('cloud: 18 waiting for upload already, not queued twice').waitFor();
  t.equal(await card.locator('.detail').count(), 1, 'one is open');
  await card.getByRole('button', { name: '5', exact: true }).click();
  const listed = card.locator('.detail table tbody tr');
  for (const count of [50, 100, 120]) {
    await listed.nth(count - 1).waitFor();
    t.equal(await listed.count(), count);
    if (count < 120) await card.getByRole('button', { name: 'More images' }).click();
  }
  t.equal(await card.getByRole('button', { name: 'More images' }).count(), 0);
  t.same(complaints, []);
});
