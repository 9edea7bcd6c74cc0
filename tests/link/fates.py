# From the JSON of a sequence: the fate of each packet by who it is, not by when it was sent.
import json
import sys

fates = {}
for line in open(sys.argv[1], encoding="utf-8"):
    if not line.startswith("{"):
        continue
    event = json.loads(line)
    if event["event"] == "packet" and event["bytes"] + ("SYN" in event["flags"]) + ("FIN" in event["flags"]):
        name = (event["connection"], event["side"], event["flags"], event["seq"], event["resent"])
        fates[name] = event["delivered"]
for name in sorted(fates):
    print(*name, "delivered" if fates[name] else "dropped")
