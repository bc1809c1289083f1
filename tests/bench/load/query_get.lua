-- wrk: the same GET again and again, or (argument "differing") each with another header line;
-- prints what came of it as one line of JSON.
local count = 0

function init(arguments)
  if arguments[1] == "differing" then
    request = function()
      count = count + 1
      wrk.headers["X-Count"] = tostring(count)
      return wrk.format()
    end
  end
end

function done(summary, latency)
  local failed = summary.errors.connect + summary.errors.read + summary.errors.write
    + summary.errors.timeout + summary.errors.status
  io.write(string.format(
    'RESULT {"count":%d,"seconds":%f,"failed":%d,"p50":%f,"p99":%f,"max":%f}\n',
    summary.requests, summary.duration / 1e6, failed,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, latency.max / 1e3))
end
