-- Says in one line what wrk saw, so that nobody has to read its table.
function done(summary, latency, requests)
  local e = summary.errors
  local errors = e.connect + e.read + e.write + e.status + e.timeout
  io.write(string.format("measured %d %d %d %.0f %.0f\n", summary.requests, summary.duration, errors,
    latency:percentile(50), latency:percentile(99)))
end
