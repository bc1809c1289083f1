// Walks through the group-booking API with a published timekit-sdk, told nothing but address and key.
// Prints one JSON object: what each call was answered, as the SDK's caller sees it.
'use strict';

const { createRequire } = require('module');
const [modules, name, apiBaseUrl, appKey, group] = process.argv.slice(2);
const timekit = createRequire(modules + '/')(name);
const seen = {};

async function note(step, call) {
	try {
		const { status, data, metaData, headers } = await call;
		seen[step] = { status, data, metaData, testMode: headers['timekit-testmode'] };
	} catch (refused) {
		seen[step] = { status: refused.status, refused: refused.data, error: String(refused) };
	}
	return seen[step].data;
}

function seats(owner, number, graph) {
	return {
		graph: graph || 'group_customer',
		related: { ownerBookingId: owner, seats: number },
		customer: { name: 'Marty McFly', email: 'marty.mcfly@timekit.io' },
	};
}

async function walk() {
	timekit.configure({ appKey, apiBaseUrl, timezone: 'Europe/Copenhagen' });
	const owner = await note('create', timekit.include('attributes').createBooking(JSON.parse(group)));
	const id = owner.id;
	await note('group', timekit.getGroupBooking({ id }));
	await note('groups', timekit.getGroupBookings());
	const seat = await note('book', timekit.createBooking(seats(id, 2)));
	await note('sold_out', timekit.createBooking(seats(id, 99)));
	const held = await note('hold', timekit.createBooking(seats(id, 1, 'group_customer_payment')));
	await note('pay', timekit.updateBooking({ id: held.id, action: 'pay', pay: { payment_id: 'ch' } }));
	await note('cancel', timekit.updateBooking({ id: seat.id, action: 'cancel_by_customer' }));
	await note('wrong', timekit.updateBooking({ id: seat.id, action: 'confirm' }));
	if (timekit.deleteBooking) await note('delete', timekit.deleteBooking({ id: seat.id }));
	await note('attendees', timekit.include('related_bookings.customers').getBooking({ id }));
	await note('list', timekit.getBookings());
	if (timekit.createBookingsBulk) {
		const bookings = [seats(id, 1), seats(id, 99)];
		await note('bulk', timekit.createBookingsBulk({ bookings }));
		await note('update', timekit.updateBookingsBulk({ bookings: [{ id: held.id, action: 'complete' }] }));
	}
	if (timekit.rescheduleBooking) await note('reschedule', timekit.rescheduleBooking({ id }));
	await note('unknown', timekit.include('nonsense').getBooking({ id }));
	await note('owner_cancel', timekit.updateBooking({ id, action: 'cancel', cancel: { message: 'Flu' } }));
}

walk().then(
	() => console.log(JSON.stringify(seen)),
	(error) => {
		console.error(error);
		process.exit(1);
	},
);
