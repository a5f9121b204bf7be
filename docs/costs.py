#!/usr/bin/env python3
"""What LearnFlow costs on AWS in a month: `python3 docs/costs.py` prints the table of docs/capacity.md.

Everything that is assumed stands in LOAD, everything that is paid for in PRICES. The prices are an EXAMPLE: list prices in
US dollars of the region us-east-1, noted from memory and not verified. Replace them with those of
https://calculator.aws/ for your region before you decide anything.
"""

# What one active student does on a day with lessons.
LOAD = {
    "active_share": 0.4,        # of all students, on such a day
    "days": 22,                 # with lessons, in a month
    "questions": 6,
    "runs": 20,
    "submissions": 5,
    "requests": 120,            # HTTP, all together
    "peak": 4.0,                # busiest hour, as a multiple of the mean of 8 hours
    "kb_per_event": 3,
    "model_share": 0.3,         # of questions that a model answers
    "tokens_in": 1500,
    "tokens_out": 400,
    "kb_stored": 20,            # in the database, for a question, run or submission
}

# Events handled (function x event), for each thing that a student does: see docs/functions.md.
EVENTS = {"questions": 6, "runs": 4, "submissions": 8}
# Records that one invocation gets: few students rarely send at the same time.
BATCH = {1_000: 1.1, 1_000_000: 12.0}
# Seconds of an invocation for each event, with the memory of the function in GB.
HANDLE = (0.02, 0.25)
RUN = (0.25, 6.5)
REQUEST = (0.03, 0.5)
# Periodic work: eight schedules once a minute, and one every five minutes.
SCHEDULED = (8 * 60 + 12) * 24 * 30

PRICES = {
    "lambda_gb_second": 0.0000133334,   # arm64
    "lambda_million_requests": 0.20,
    "poller_unit_hour": 0.185,
    "http_api_million": 1.00,
    "websocket_million": 1.00,          # messages; connection minutes are small beside them
    "msk_broker_hour": {1_000: 0.0456, 1_000_000: 0.42},      # kafka.t3.small, kafka.m7g.xlarge
    "msk_gb_month": 0.10,
    "database_hour": {1_000: 0.065, 1_000_000: 3.6},          # db.t4g.medium, db.r7g.4xlarge, in two zones each
    "database_gb_month": 0.23,
    "proxy_vcpu_hour": 0.015,
    "nat_hour": 0.045,
    "logs_gb": 0.50,
    "model_million_in": 0.40,
    "model_million_out": 1.60,
}

BROKERS = {1_000: 3, 1_000_000: 6}
POLLER_UNITS = {1_000: 1, 1_000_000: 12}
VCPUS = {1_000: 2, 1_000_000: 16}
HOURS = 730


def month(students):
    """Lines of the bill, and the rates that a plan needs."""
    days = students * LOAD["active_share"] * LOAD["days"]
    things = {name: days * LOAD[name] for name in EVENTS}
    events = sum(things[name] * EVENTS[name] for name in EVENTS)
    runs = things["runs"] + things["submissions"]
    requests = days * LOAD["requests"]
    invocations = events / BATCH[students] + runs + requests + SCHEDULED
    gb_seconds = (
        events * HANDLE[0] * HANDLE[1] + runs * RUN[0] * RUN[1] + requests * REQUEST[0] * REQUEST[1]
        + SCHEDULED * HANDLE[0] * HANDLE[1]
    )
    gb_events = events * LOAD["kb_per_event"] / 1e6
    gb_stored = 12 * sum(things.values()) * LOAD["kb_stored"] / 1e6
    asked = things["questions"] * LOAD["model_share"]
    p = PRICES
    bill = {
        "Lambda: computing": gb_seconds * p["lambda_gb_second"],
        "Lambda: invocations": invocations / 1e6 * p["lambda_million_requests"],
        "Lambda: pollers": POLLER_UNITS[students] * HOURS * p["poller_unit_hour"],
        "API Gateway": requests / 1e6 * p["http_api_million"] + events / 1e6 * p["websocket_million"],
        "MSK: brokers": BROKERS[students] * HOURS * p["msk_broker_hour"][students],
        "MSK: storage of 7 days, three times": gb_events * 7 / 30 * 3 * p["msk_gb_month"],
        "PostgreSQL: two zones": 2 * HOURS * p["database_hour"][students],
        "PostgreSQL: storage after a year": gb_stored * p["database_gb_month"],
        "RDS Proxy": VCPUS[students] * HOURS * p["proxy_vcpu_hour"],
        "NAT gateways": 2 * HOURS * p["nat_hour"],
        "Logs": events * 0.5 / 1e6 * p["logs_gb"],
        "Language model": asked * (LOAD["tokens_in"] * p["model_million_in"] + LOAD["tokens_out"] * p["model_million_out"]) / 1e6,
    }
    a_second = events / LOAD["days"] / (8 * 3600) * LOAD["peak"]
    rates = {
        "events a second in the busiest hour": a_second,
        "runs a second in the busiest hour": runs / LOAD["days"] / (8 * 3600) * LOAD["peak"],
        "GB stored in a year": gb_stored,
    }
    return bill, rates


def main():
    sizes = (1_000, 1_000_000)
    months = [month(size) for size in sizes]
    print("| a month, US dollars | 1,000 students | 1,000,000 students |\n|---|---:|---:|")
    for line in months[0][0]:
        print(f"| {line} | {months[0][0][line]:,.0f} | {months[1][0][line]:,.0f} |")
    totals = [sum(bill.values()) for bill, _ in months]
    print(f"| **together** | **{totals[0]:,.0f}** | **{totals[1]:,.0f}** |")
    print(f"| for each student | {totals[0] / sizes[0]:.2f} | {totals[1] / sizes[1]:.2f} |")
    for line in months[0][1]:
        print(f"| {line} | {months[0][1][line]:,.1f} | {months[1][1][line]:,.0f} |")


if __name__ == "__main__":
    main()
