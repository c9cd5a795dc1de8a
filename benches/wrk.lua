-- For wrk: posts the full event; with the argument N, N requests are written at once.
local event = '{"operation":"orders","type":"EVENT","tracking-id":"3f0c7a52-91d4-4be8-a6f0-52d1c07e9b13","source-fqn":"APPL=orders#SERVER=host100#NETADDR=11.0.0.2#DATACENTER=DC1#GEOADDR=52.52437,13.41053","severity":"INFO","pid":4242,"tid":4243,"user":"svc-orders","location":"src/orders.rs:118","resource":"ORDERS.QUEUE","time-usec":1795000000000000,"end-time-usec":1795000000000000,"elapsed-time-usec":12,"corr-id":["CID:7f3d12"],"msg-text":"order 123456 processed in 12 ms","snapshots":[{"name":"Payment","time-usec":1795000000000000,"type":"SNAPSHOT","category":"Order","properties":[{"name":"order-no","value":123456,"type":"integer"},{"name":"order-amount","value":129.95,"type":"decimal"},{"name":"currency","value":"EUR","type":"string"},{"name":"customer","value":"acme-corp","type":"string"},{"name":"items","value":5,"type":"integer"}]}]}'
local requests

init = function(arguments)
  local headers = { ["content-type"] = "application/json" }
  local all = {}
  for i = 1, tonumber(arguments[1] or "1") do
    all[i] = wrk.format("POST", "/jkool", headers, event)
  end
  requests = table.concat(all)
end

request = function()
  return requests
end
