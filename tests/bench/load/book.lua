-- wrk: every request books one seat, each for another customer, in the groups of a file in turn.
-- Arguments after "--": the file with a group id a line, the Authorization header, and "keyed" for an
-- Idempotency-Key of its own with each request, so that no two heads are the same.
local groups, count, seed, keyed = {}, 0, os.time() % 1000000, false

function init(arguments)
  for line in io.lines(arguments[1]) do groups[#groups + 1] = line end
  wrk.headers["Content-Type"] = "application/json"
  wrk.headers["Authorization"] = arguments[2]
  keyed = arguments[3] == "keyed"
end

function request()
  count = count + 1
  if keyed then wrk.headers["Idempotency-Key"] = string.format("bench-%d-%d", seed, count) end
  local body = string.format(
    '{"graph":"group_customer","related":{"owner_booking_id":"%s"},"customer":{"name":"Ann %d","email":"ann%d.%d@example.org"}}',
    groups[count % #groups + 1], count, seed, count)
  return wrk.format("POST", "/v2/bookings", nil, body)
end

function done(summary, latency)
  local failed = summary.errors.connect + summary.errors.read + summary.errors.write
    + summary.errors.timeout + summary.errors.status
  io.write(string.format(
    'RESULT {"count":%d,"seconds":%f,"failed":%d,"p50":%f,"p99":%f,"max":%f}\n',
    summary.requests, summary.duration / 1e6, failed,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, latency.max / 1e3))
end
