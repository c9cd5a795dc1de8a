"""results.jsonl -> the report in markdown: median (min..max) over the rounds; ratios are taken within a round.

usage: report.py results.jsonl [growth.md [collector.md]]     Fails when events are missing that a row must deliver.
"""
import json
import statistics
import sys

MIB = 1024


class Results:
    """What was measured, in each round by (workload, row, mode)."""

    def __init__(self, path):
        self.machine, self.skipped = None, None
        self.rounds, self.marks = [], []
        with open(path) as lines:
            for line in lines:
                self.add(json.loads(line))
        # The last mark is the end.
        self.rounds = [results for results in self.rounds if results]

    def add(self, record):
        if "machine" in record:
            self.machine = record
        elif "skipped" in record:
            self.skipped = record
        elif "round" in record:
            self.marks.append(record)
            self.rounds.append({})
        else:
            if "sink" in record:
                record = of_wrk(record)
            self.rounds[-1][record["workload"], record["row"], record.get("mode", 0)] = record

    def rows(self, workload):
        """In the order in which they ran."""
        return list(dict.fromkeys(row for results in self.rounds for (w, row, _) in results if w == workload))

    def modes(self, workload):
        return sorted({mode for results in self.rounds for (w, _, mode) in results if w == workload})

    def records(self, workload, row, mode=0):
        key = workload, row, mode
        return [results[key] for results in self.rounds if key in results]

    def values(self, workload, row, mode, value):
        found = [value(record) for record in self.records(workload, row, mode)]
        return [number for number in found if number is not None]

    def median(self, workload, row, mode, value):
        found = self.values(workload, row, mode, value)
        return statistics.median(found) if found else None

    def ratio(self, workload, row, mode, base, value):
        """Of a row to another in the same mode."""
        return self.quotient((workload, row, mode), (workload, base, mode), value)

    def quotient(self, of, to, value):
        """The median of what it is in each round."""
        both = [results for results in self.rounds if of in results and to in results]
        ratios = [value(results[of]) / value(results[to]) for results in both if value(results[to])]
        return statistics.median(ratios) if ratios else None

    def stolen(self):
        """Of each round, in percent."""
        def grown(start, end, name):
            return end[name] - start[name]

        spans = zip(self.marks, self.marks[1:])
        return [100 * grown(*span, "steal") / max(1, grown(*span, "jiffies")) for span in spans]


def of_wrk(record):
    """What wrk and the sink said, as others say it."""
    sink = record.pop("sink")
    requests = max(1, sink["requests"])
    return record | {
        "must_deliver": "everything", "delivered": sink["requests"], "requests": sink["requests"],
        "bytes": sink["bytes"] / requests, "sink_cpu_us": sink["cpu_us"] / requests,
    }


def of(name):
    return lambda record: record.get(name)


def cpu_us(record):
    return record["user_us"] + record["sys_us"] if "user_us" in record else None


def caller_us(record):
    """Who has no calls apart from sending is held up all the time."""
    seconds = record.get("emit_s") or record.get("wall_s")
    return seconds * 1e6 / record["events"] if seconds else None


def peak_mib(record):
    return record["peak_kib"] / MIB if "peak_kib" in record else None


def share(record):
    return record["delivered"] / record["events"]


def number(value):
    if value is None:
        return "–"
    if value >= 100 or float(value).is_integer():
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def cell(values):
    if not values:
        return "–"
    median, low, high = (number(value) for value in (statistics.median(values), min(values), max(values)))
    return median if low == high else f"{median} ({low}..{high})"


def percent(shares):
    """100 is said only when nothing is missing."""
    if not shares:
        return "–"
    if min(shares) == 1:
        return "100"
    median, low, high = (f"{100 * value:.1f}" for value in (statistics.median(shares), min(shares), max(shares)))
    return median if low == high else f"{median} ({low}..{high})"


def table(title, head, lines):
    text = [f"### {title}\n", "| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(text + ["| " + " | ".join(line) + " |" for line in lines]) + "\n"


def hot_table(results):
    def line(row):
        def cells(mode, name):
            return cell(results.values("hot", row, mode, of(name)))

        def percentile(name):
            return number(results.median("hot", row, "lat", of(name)))

        records = results.records("hot", row, "1t")
        if records and records[0]["must_deliver"] == "nothing":
            delivered = "n/a"
        else:
            shares = [results.values("hot", row, mode, share) for mode in ("1t", "4t", "paced")]
            delivered = " / ".join(map(percent, shares))
        return [
            row, cells("1t", "ns"), cells("kv", "ns"),
            number(results.ratio("hot", row, "1t", "otel-log-big", of("ns"))),
            cells("4t", "ns"), cells("4t", "caller_cpu_ns"), cells("paced", "ns"),
            " / ".join(percentile(name) for name in ("p50", "p99", "p999")),
            cells("1t", "process_cpu_ns"), delivered,
        ]

    head = [
        "row", "1 thread, flat out", "with 3 key-values", "× otel-log-big (1 thread)", "4 threads: wall",
        "4 threads: callers' CPU", "paced 100 a ms: mean", "paced p50 / p99 / p99.9",
        "CPU of the whole process (1 thread)", "delivered % 1 thread / 4 / paced",
    ]
    return table("Hot path: ns on the caller's thread, a log call", head, map(line, results.rows("hot")))


def cores_tables(results):
    """Flat out and paced."""
    rows = results.rows("cores")
    modes = sorted(results.modes("cores"), key=lambda mode: int(mode.strip("pacedt")))

    def wall_and_cpu(row, mode):
        wall, cpu = (results.median("cores", row, mode, of(name)) for name in ("ns", "caller_cpu_ns"))
        return "–" if wall is None else f"{number(wall)} ({number(cpu)})"

    def latency(row, mode):
        return " / ".join(number(results.median("cores", row, mode, of(name))) for name in ("ns", "p50", "p99", "p999"))

    def delivered(row, modes):
        shares = [percent(results.values("cores", row, mode, share)) for mode in modes]
        return "100" if set(shares) == {"100"} else " / ".join(shares)

    def of_modes(title, modes, cells):
        lines = [[row] + [cells(row, mode) for mode in modes] + [delivered(row, modes)] for row in rows]
        return table(title, ["row"] + modes + ["delivered %, in each mode if not 100"], lines)

    paced = [mode for mode in modes if mode.startswith("paced")]
    flat_out = [mode for mode in modes if mode not in paced]
    if flat_out:
        title = "Cores: threads flat out, ns of wall time ÷ all calls (callers' CPU, a call), medians"
        yield of_modes(title, flat_out, wall_and_cpu)
    if paced:
        title = "Cores: each thread 100 calls a ms, ns a call, mean / p50 / p99 / p99.9, medians"
        yield of_modes(title, paced, latency)


def wire_table(results, title, rows, base):
    def line(row):
        def cells(value):
            return cell(results.values("wire", row, 0, value))

        def median(value):
            return number(results.median("wire", row, 0, value))

        cpu = cells(cpu_us)
        if cpu != "–":
            cpu += f" = {median(of('user_us'))} + {median(of('sys_us'))}"
        return [
            row, median(of("events")), cells(of("events_per_s")),
            number(results.ratio("wire", row, 0, base, of("events_per_s"))),
            median(lambda record: record["events_per_s"] * record["bytes"] / 1e6),
            percent(results.values("wire", row, 0, share)), cells(caller_us), cpu, cells(of("sink_cpu_us")),
            median(of("bytes")), median(of("requests")), cells(peak_mib),
        ]

    head = [
        "row", "events emitted", "events/s delivered", f"× {base}", "MB/s of body", "delivered %",
        "caller held up, µs/event", "client CPU, µs/event = user + sys", "sink CPU, µs/event", "body, B/event",
        "POSTs", "peak RSS, MiB",
    ]
    return table(title, head, map(line, rows))


def steady_table(results):
    rates = results.modes("steady")

    def at(row, rate):
        records = results.records("steady", row, rate)
        text = percent([share(record) for record in records])
        # Who waits for room delivers all, but not at that rate.
        slowest = max([record["emit_s"] * rate / record["events"] for record in records], default=0)
        return text + (f", {slowest:.1f} times as long" if slowest > 1.05 else "")

    def line(row):
        return [row] + [at(row, rate) for rate in rates]

    head = ["row"] + [f"{rate // 1000} k/s" for rate in rates]
    return table("Steady rates for about 1 s, bursts 1 ms apart: delivered %", head, map(line, results.rows("steady")))


def encode_table(results):
    def line(row):
        return [
            row, cell(results.values("encode", row, 0, of("ns"))),
            number(results.ratio("encode", row, 0, "derive", of("ns"))),
            number(results.median("encode", row, 0, of("bytes"))),
        ]

    head = ["row", "ns/event", "× derive", "B/event"]
    return table("Encoding: from the full event to its JSON", head, map(line, results.rows("encode")))


def growth_factor(growth, what, to):
    """Of an event's wall time, to that in the first line of its kind."""
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in growth.splitlines()]
    found = [line for line in lines if line[:2] == [what, to]]
    return float(found[0][lines[0].index("× first")]) if found else None


def target_table(results, growth):
    def ratio(workload, row, mode, base, value):
        return results.ratio(workload, row, mode, base, value)

    def wire(row, base, value=of("events_per_s")):
        return ratio("wire", row, 0, base, value)

    def best_of(peers, workload, mode, name, what):
        """The best peer is the one that we compare worst with."""
        ratios = [(ratio(workload, "jkool-log", mode, peer, of(name)), f"{what} ({peer})") for peer in peers]
        return max([found for found in ratios if found[0] is not None], default=(None, what))

    def peers(workload):
        """Of a log call: what a span costs is another matter."""
        rows = [row for row in results.rows(workload) if not row.startswith(("floor:", "ref:", "jkool"))]
        return [row for row in rows if not row.endswith(("-span", "-span-big", "-enter"))]

    def best_peer(name):
        return best_of(peers("hot"), "hot", "lat", name, "best peer")

    def best_lossless_peer(mode, name):
        """Of those that have delivered everything in that mode."""
        shares = {peer: results.values("cores", peer, mode, share) for peer in peers("cores")}
        lossless = [peer for peer in shares if min(shares[peer], default=0) == 1]
        return best_of(lossless, "cores", mode, name, "best peer that loses nothing")

    def itself(row, mode, base, name):
        """A row to itself in another mode."""
        return results.quotient(("cores", row, mode), ("cores", row, base), of(name))

    def entering():
        both = [results.median("hot", row, "1t", of("caller_cpu_ns")) for row in ("jkool-enter", "floor:enter-registry")]
        return None if None in both else both[0] - both[1]

    def encoding():
        """The fastest of ours."""
        ours = [row for row in results.rows("encode") if row.startswith("jkool")]
        ratios = [ratio("encode", row, 0, "derive", of("ns")) for row in ours]
        return min([found for found in ratios if found is not None], default=None)

    def peak():
        """Of the rows with a queue of 1 or 2.5 MiB, but not where many threads' latencies take memory too."""
        records = [record for found in results.rounds for record in found.values() if "peak_kib" in record]
        ours = [
            record for record in records
            if record["row"].startswith("jkool") and record["row"] != "jkool-log-drop"
            and not (record["workload"] == "cores" and record["mode"].startswith("paced"))
        ]
        return max([(peak_mib(record), record["row"]) for record in ours], default=(None, "any row"))

    lines = []

    def at_most(limit, measured, what):
        add("≤", limit, measured, what, lambda: measured <= limit)

    def at_least(limit, measured, what):
        add("≥", limit, measured, what, lambda: measured >= limit)

    def add(sign, limit, measured, what, is_met):
        met = "–" if measured is None else "yes" if is_met() else "**no**"
        lines.append([what, f"{sign} {limit:g}", "not measured" if measured is None else f"{measured:.3g}", met])

    def call(mode, base, name="ns"):
        return ratio("hot", "jkool-log", mode, base, of(name))

    for base, limit in (("otel-log-big", 0.45), ("ref:chan", 1.0)):
        at_most(limit, call("paced", base), f"log call, paced: mean × {base}")
        at_most(limit, call("lat", base, "p50"), f"log call, paced: p50 × {base}")
    for name, called in (("p99", "p99"), ("p999", "p99.9")):
        measured, peer = best_peer(name)
        at_most(1.0, measured, f"log call, paced: {called} × {peer}")
    for mode, limit, what in (("1t", 0.5, "1 thread"), ("4t", 0.5, "4 threads, wall"), ("kv", 0.6, "3 key-values")):
        at_most(limit, call(mode, "otel-log-big"), f"log call, flat out: {what} × otel-log-big")
    for threads in (8, 16):
        measured, peer = best_lossless_peer(f"{threads}t", "ns")
        at_most(1.0, measured, f"log call, flat out: {threads} threads, wall × {peer}")
    measured = itself("jkool-emit", "16t", "1t", "ns")
    at_most(0.15, measured, "full event by jkool-emit, flat out: 16 threads, wall × 1 thread")
    for limit, name, called in ((0.5, "ns", "mean"), (1.0, "p99", "p99"), (1.0, "p999", "p99.9")):
        measured, peer = best_lossless_peer("paced12", name)
        at_most(limit, measured, f"log call, 12 threads paced: {called} × {peer}")
    measured = growth_factor(growth, "threads that log", "2")
    at_most(0.6, measured, "log call, flat out: 2 threads, wall × 1 thread (growth)")
    measured = itself("jkool-log", "8t", "1t", "caller_cpu_ns")
    at_most(1.5, measured, "log call, flat out: 8 threads, caller's CPU × 1 thread")
    measured = ratio("hot", "jkool-tracing", "paced", "otel-tracing-big", of("ns"))
    at_most(0.45, measured, "tracing's event in no span, paced: mean × otel-tracing-big")
    for base, limit in (("otel-span-big", 0.35), ("fastrace-span", 1.2)):
        at_most(limit, ratio("hot", "jkool-span", "paced", base, of("ns")), f"span with 3 fields, paced: mean × {base}")
    at_most(30, entering(), "enter and leave an open span, flat out: caller's CPU, ns over the bare registry")
    at_most(0.35, encoding(), "event to JSON: ns × serde's derive")
    at_least(2.0, wire("jkool-ndjson512", "limit:ndjson512"), "full events in batches: events/s × limit:ndjson512")
    at_most(0.8, results.median("wire", "jkool-ndjson512", 0, cpu_us), "full events in batches: client CPU, µs/event")
    at_least(2.0, wire("jkool-log-ndjson512", "otlp-proto-big"), "log lines: events/s × otlp-proto-big")
    at_most(0.6, wire("jkool-log-ndjson512", "otlp-proto-big", cpu_us), "log lines: client CPU × otlp-proto-big")
    at_most(0.2, wire("jkool-log-ndjson512", "otlp-proto-big", peak_mib), "log lines: peak RSS × otlp-proto-big")
    at_least(3.0, wire("jkool-span-ndjson512", "otlp-span-big"), "spans: spans/s × otlp-span-big")
    at_most(0.5, wire("jkool-span-ndjson512", "otlp-span-big", cpu_us), "spans: client CPU × otlp-span-big")
    at_least(1.5, wire("jkool-one", "limit:reqwest-c32"), "one event a request: events/s × limit:reqwest-c32")
    at_least(15, wire("jkool-one", "tnt4py-full"), "one event a request: events/s × tnt4py-full")
    far = wire("jkool-ndjson512@10ms", "limit:ndjson512@10ms")
    at_least(4.0, far, "10 ms away, in batches: events/s × limit:ndjson512")
    far = wire("jkool-one-c128@10ms", "limit:raw-c128@10ms")
    at_least(0.95, far, "10 ms away, one event a request: events/s × limit:raw-c128")
    measured, row = peak()
    at_most(16, measured, f"peak RSS of all rows whose queue blocks, MiB ({row})")
    return table("Targets", ["target", "at", "measured", "met"], lines)


def faults(results):
    """Where the other end counted something else than it should have."""
    for found in results.rounds:
        for (workload, row, mode), record in found.items():
            must, delivered, events = record.get("must_deliver"), record.get("delivered"), record.get("events")
            slack = record.get("slack", 0)
            if must is None:
                continue
            if must == "nothing":
                events = 0
            if delivered > events + slack or must == "everything" and delivered < events - slack:
                yield f"{workload} {row} {mode}: {delivered} of {events}"


def main():
    results = Results(sys.argv[1])
    growth, collector = (open(path).read() for path in (sys.argv[2:] + ["/dev/null"] * 2)[:2])
    if results.machine:
        print(f"{results.machine['machine']}; commit {results.machine['commit']}.", end=" ")
    print(f"Rounds: {len(results.rounds)}; cells: median (min..max); ratios: in a round, then their median.", end=" ")
    print(f"CPU time stolen by the host: {', '.join(f'{stolen:.1f}' for stolen in results.stolen())} %.\n")

    if results.skipped:
        modes, cores = results.skipped["skipped"], results.skipped["cores"]
        print(f"**Part cores, skipped: {modes}: this machine has {cores} cores.**\n")

    print(target_table(results, growth))
    if results.rows("hot"):
        print(hot_table(results))
    for part in cores_tables(results):
        print(part)
    far = [row for row in results.rows("wire") if row.endswith("@10ms")]
    near = [row for row in results.rows("wire") if row not in far]
    if near:
        print(wire_table(results, "On the wire: end to end over loopback", near, "limit:ndjson512"))
    if far:
        print(wire_table(results, "The same with a sink that answers after 10 ms", far, "limit:ndjson512@10ms"))
    if results.rows("steady"):
        print(steady_table(results))
    if results.rows("encode"):
        print(encode_table(results))
    if growth:
        print(f"### Growth: one run, with a transport that leads nowhere\n\n{growth}")
    if collector:
        print(f"### The collector: one run\n\n{collector}")

    found = list(faults(results))
    if found:
        print("Sanity: FAILED: " + "; ".join(found))
        sys.exit("not everything was delivered: " + "; ".join(found))
    print("Sanity: every row that must deliver everything did, and none more than it was given.")


main()
