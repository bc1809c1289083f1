// Opens pages in headless Chromium that call the service with the published demo key: from another
// name, from the service's own address under another name, and from another port of this machine.
// Prints what each was answered, as one JSON object.
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [modules, api, key, booking] = process.argv.slice(2);
const require = createRequire(join(modules, 'x.js'));
const load = (name) => import(pathToFileURL(require.resolve(name)));
const { default: chromium } = await load('@sparticuz/chromium');
const { default: puppeteer } = await load('puppeteer-core');

const server = createServer((_, response) => response.end('<!doctype html><title>a page</title>'));
await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
const port = server.address().port;

// The package switches a browser's web security off, which no visitor does.
const args = chromium.args.filter((one) => one !== '--disable-web-security');
const browser = await puppeteer.launch({
	args: [...args, '--no-sandbox', '--host-resolver-rules=MAP evil.example 127.0.0.1'],
	executablePath: await chromium.executablePath(),
	headless: 'shell',
});

// What a page at `address` is answered when it reads, and when it writes, at `base`.
async function asked(address, base) {
	const page = await browser.newPage();
	await page.goto(address);
	const answers = await page.evaluate(
		async (base, key, body) => {
			const headers = { Authorization: `Basic ${btoa(`:${key}`)}`, 'Content-Type': 'application/json' };
			const answered = async (options) => {
				const answer = await fetch(`${base}/v2/bookings`, { headers, ...options });
				return [answer.status, (await answer.json()).code ?? null];
			};
			return { read: await answered({}), written: await answered({ method: 'POST', body }) };
		},
		base,
		key,
		booking,
	);
	await page.close();
	return answers;
}

try {
	const own = new URL(api);
	const renamed = `http://evil.example:${own.port}`;
	console.log(
		JSON.stringify({
			page: await asked(`http://evil.example:${port}/`, api),
			// of the service's own answers, as its documentation's policy lets no page call anything
			rebound: await asked(`${renamed}/health/live`, renamed),
			local: await asked(`http://localhost:${port}/`, api),
		}),
	);
} finally {
	await browser.close();
	server.close();
}
