// Books a seat with the published booking widget in headless Chromium, as a visitor of a page would.
// Prints what the visitor saw and what the page asked the service, as one JSON object.
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [modules, apiBaseUrl, how, value, screenshot] = process.argv.slice(2);
const require = createRequire(join(modules, 'x.js'));
const load = (name) => import(pathToFileURL(require.resolve(name)));
const { default: chromium } = await load('@sparticuz/chromium');
const { default: puppeteer } = await load('puppeteer-core');
const isSecond = how.startsWith('second'); // the widget of generation 2, which wants jQuery
const files = isSecond
	? { 'booking.min.js': 'timekit-booking-2/dist', 'jquery.min.js': 'jquery/dist' }
	: { 'booking.min.js': 'timekit-booking/public/build', 'booking.min.css': 'timekit-booking/public/build' };

// The ways a page can name what it offers: its own configuration, or a project by slug.
const named = how.endsWith('hosted')
	? { project_slug: value }
	: { app_key: value, booking: { graph: 'group_customer' } };
const config = isSecond
	? { ...named, sdk: { apiBaseUrl } }
	: { ...named, api_base_url: apiBaseUrl };

const page_ = `<!doctype html><meta charset="utf-8">
${isSecond ? '<script src="/jquery.min.js"></script>' : '<link rel="stylesheet" href="/booking.min.css">'}
<div id="bookingjs"></div><script src="/booking.min.js"></script>
<script>new TimekitBooking().init(${JSON.stringify(config)})</script>`;

const server = createServer(async (request, response) => {
	const name = request.url.slice(1);
	try {
		response.end(name === '' ? page_ : await readFile(join(modules, files[name], name)));
	} catch {
		response.writeHead(404).end();
	}
});
await new Promise((ready) => server.listen(0, '127.0.0.1', ready));

const browser = await puppeteer.launch({
	args: [...chromium.args, '--no-sandbox'],
	executablePath: await chromium.executablePath(),
	headless: 'shell',
	defaultViewport: { width: 900, height: 900 },
});
const asked = [];
const complaints = [];
try {
	const page = await browser.newPage();
	page.on('response', (answer) => {
		const url = answer.url();
		const method = answer.request().method();
		if (url.startsWith(apiBaseUrl) && method !== 'OPTIONS')
			asked.push({ method, path: url.slice(apiBaseUrl.length), status: answer.status() });
	});
	page.on('pageerror', (error) => complaints.push(String(error)));
	await page.goto(`http://127.0.0.1:${server.address().port}/`);
	const slot = await page.waitForSelector('.fc-timegrid-event, .fc-time-grid-event, .fc-list-event, .fc-list-item', { timeout: 30000 });
	await slot.evaluate((element) => element.click());
	await page.waitForSelector('#input-name', { timeout: 10000 });
	await page.evaluate(() => {
		document.getElementById('input-name').value = 'Marty McFly';
		document.getElementById('input-email').value = 'marty@example.com';
		document.querySelector('.bookingjs-form-button').click();
	});
	await page.waitForSelector('.bookingjs-form.success, .bookingjs-error', { timeout: 20000 });
	if (screenshot) await page.screenshot({ path: screenshot });
	const seen = await page.evaluate(() => ({
		success: document.querySelector('.bookingjs-form')?.classList.contains('success') ?? false,
		message: document.querySelector('.bookingjs-form-success-message-body')?.textContent.trim(),
		ribbon: document.querySelector('.bookingjs-ribbon') !== null,
	}));
	console.log(JSON.stringify({ ...seen, asked, complaints }));
} finally {
	await browser.close();
	server.close();
}
