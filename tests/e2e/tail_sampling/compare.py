"""Compares what two samplers have kept, policy by policy: the traces, and the thresholds that their spans tell."""

import json
import sys
from pathlib import Path


def kept(path):
    """The threshold of each trace that is kept, and the number of its spans."""
    traces = {}
    for line in path.read_text().splitlines() if path.exists() else []:
        for resource in json.loads(line)["resourceSpans"]:
            for scope in resource["scopeSpans"]:
                for span in scope["spans"]:
                    entry = span.get("traceState", "").removeprefix("ot=")
                    members = dict(member.split(":") for member in entry.split(";") if member)
                    threshold, spans = traces.get(span["traceId"], (members.get("th"), 0))
                    assert threshold == members.get("th"), f"{path}: two thresholds in {span['traceId']}"
                    traces[span["traceId"]] = threshold, spans + 1
    return traces


folder = Path(sys.argv[1])
problems = []
names = sorted(path.stem.removeprefix("biztrace-") for path in folder.glob("biztrace-*.jsonl"))
for name in names:
    ours = kept(folder / f"biztrace-{name}.jsonl")
    theirs = kept(folder / f"collector-{name}.jsonl")
    print(f"{name}: {len(ours)} traces kept by biztrace, {len(theirs)} by the Collector")
    if not 0 < len(theirs) < 2_000:
        problems.append(f"{name}: the policy tells nothing apart")
    for trace in sorted(ours.keys() | theirs.keys()):
        if ours.get(trace) != theirs.get(trace):
            problems.append(f"{name}: {trace}: {ours.get(trace)} by biztrace, {theirs.get(trace)} by the Collector")
if len(names) < 15:
    problems.append(f"{len(names)} policies only")
print(*problems[:40], sep="\n")
sys.exit(bool(problems))
