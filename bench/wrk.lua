-- SPDX-License-Identifier: Apache-2.0
-- Sends the raw requests of a file in turn, and says in one line of JSON how it went.
-- The file: for each request its length in bytes, a line feed, the request.

local requests, last = {}, 0

function init(args)
  local file = assert(io.open(args[1], "rb"))
  while true do
    local size = file:read("*n")
    if size == nil then break end
    file:read(1)
    requests[#requests + 1] = file:read(size)
  end
  file:close()
  assert(#requests > 0, "no requests")
end

function request()
  last = last % #requests + 1
  return requests[last]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\nRESULT {"requests": %d, "microseconds": %d, "bytes": %d, "p50": %d, "p99": %d, "refused": %d, "broken": %d}\n',
    summary.requests, summary.duration, summary.bytes, latency:percentile(50), latency:percentile(99),
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
