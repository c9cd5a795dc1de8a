"""Drives TNT4PY's own HttpHandler (PYTHONPATH names its checkout) against the sink, as `bench wire` does the others.

usage: tnt4py.py plain|full PORT EVENTS [SUFFIX]     (stdout: its own prints; stderr: one line of JSON)
"""
import http.client
import json
import logging
import resource
import sys
import time
import uuid

from jKool import streaming
from jKool.metrics import Snapshot

SOURCE = "APPL=orders#SERVER=host100#NETADDR=11.0.0.2#DATACENTER=DC1#GEOADDR=52.52437,13.41053"


def sink(port, method, path):
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request(method, path)
    answer = connection.getresponse().read()
    connection.close()
    return answer


def plain(log, i):
    log.info("order %d processed in %d ms", i, i & 63)


def full(log, i):
    now = int(time.time() * 1000000)
    snapshot = Snapshot("Payment", time_usec=now, category="Order")
    snapshot.addProperty("order-no", i, "integer")
    snapshot.addProperty("order-amount", 129.95, "decimal")
    snapshot.addProperty("currency", "EUR", "string")
    snapshot.addProperty("customer", "acme-corp", "string")
    snapshot.addProperty("items", i & 7, "integer")
    streaming.logEvent(
        log, "order %d processed in %d ms" % (i, i & 63), SOURCE, tracking_id=str(uuid.uuid4()), time_usec=now,
        corr_id=["CID:7f3d12"], pid=4242, tid=4243, location="src/orders.py:118", user="svc-orders",
        resource="ORDERS.QUEUE", end_time_usec=now, elapsed_time_usec=i & 63, snapshots=[snapshot])


def main():
    mode, port, events = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    suffix = sys.argv[4] if len(sys.argv) > 4 else ""
    emit = {"plain": plain, "full": full}[mode]
    log = logging.getLogger("orders")
    log.setLevel(logging.INFO)
    log.propagate = False
    log.addHandler(streaming.HttpHandler("token", "http://127.0.0.1:%d" % port))

    sink(port, "POST", "/reset")
    before, start = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    for i in range(events):
        emit(log, i)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF)

    counts = json.loads(sink(port, "GET", "/stats"))
    delivered = counts["markers"]
    print(json.dumps({
        "workload": "wire", "row": "tnt4py-" + mode + suffix, "mode": 0, "must_deliver": "everything", "events": events,
        "delivered": delivered, "wall_s": wall, "emit_s": wall, "events_per_s": delivered / wall,
        "bytes": counts["bytes"] / max(delivered, 1), "requests": counts["requests"],
        "connections": counts["connections"], "sink_cpu_us": counts["cpu_us"] / max(delivered, 1),
        "user_us": (after.ru_utime - before.ru_utime) * 1e6 / events,
        "sys_us": (after.ru_stime - before.ru_stime) * 1e6 / events, "peak_kib": after.ru_maxrss,
    }), file=sys.stderr)


main()
