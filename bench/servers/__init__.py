"""Through real servers: what a framework costs where requests come over HTTP."""

WORKLOAD = "W1"
