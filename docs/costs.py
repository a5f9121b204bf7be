#!/usr/bin/env python3
"""What LearnFlow costs on AWS in a month: `python3 docs/costs.py` prints the table of docs/capacity.md.

Everything that is assumed stands in LOAD and below it, everything that is paid for in PRICES. Those are list prices in US
dollars of the region us-east-1, compared in November 2026 with copies of AWS's price list and with public articles; the prices
of instances of RDS and MSK were found in articles only. Take those of your region from https://calculator.aws/ before you
decide anything.
"""

import math

# What one active student does on a day with lessons.
LOAD = {
    "active_share": 0.4,        # of all students, on such a day
    "days": 22,                 # with lessons, in a month
    "questions": 6,
    "runs": 20,
    "submissions": 5,
    "requests": 120,            # HTTP, all together
    "socket_hours": 2,          # with an open page
    "peak": 4.0,                # busiest hour, as a multiple of the mean of 8 hours
    "kb_per_event": 3,
    "kb_per_response": 4,
    "kb_per_message": 2,
    "kb_per_log_line": 0.5,     # of an event
    "kb_per_invocation_log": 0.4,   # lines of Lambda's own
    "kb_with_database": 60,     # sent and received for a question, run or submission
    "kb_with_model": 100,       # of a streamed answer
    "model_share": 0.3,         # of questions that a model answers
    "model_seconds": 2,
    "tokens_in": 1500,
    "tokens_out": 400,
    "kb_stored": 20,            # in the database, for a question, run or submission
}

# Events handled (function x event), for each thing that a student does: see docs/functions.md. All functions that read a topic
# get its events, also those that do not want them.
EVENTS = {"questions": 6, "runs": 7, "submissions": 10}
# Messages to a student's sockets; a model's answer comes in three more.
MESSAGES = {"questions": 3 + 3 * LOAD["model_share"], "runs": 2, "submissions": 2}
PINGS_AN_HOUR = 12
# Records that one invocation gets: few students rarely send at the same time.
BATCH = {1_000: 1.1, 1_000_000: 12.0}
# Seconds of an invocation for each event, with the memory of the function in GB.
HANDLE = (0.02, 0.25)
RUN = (0.25, 1.73)
REQUEST = (0.03, 0.5)
HOURS = 730
# Periodic work: eight schedules once a minute, and one every five minutes.
SCHEDULED = (8 * 60 + 12) * HOURS
# Kafka mappings of the template, and pollers of each that run in the mean. Ten are a unit, which mappings share.
MAPPINGS = 19
POLLERS = {1_000: 1, 1_000_000: 6}
POLLERS_A_UNIT = 10

PRICES = {
    "lambda_gb_second": 0.0000133334,   # arm64
    "lambda_million_requests": 0.20,
    "poller_unit_hour": 0.185,
    "http_api_million": (1.00, 300, 0.90),          # up to so many million, and beyond
    "websocket_million": (1.00, 1_000, 0.80),
    "socket_million_minutes": 0.25,
    # kafka.m7g.large and kafka.m7g.xlarge. The smaller kafka.t3.small takes four new connections a second with IAM.
    "msk_broker_hour": {1_000: 0.204, 1_000_000: 0.408},
    "msk_gb_month": 0.10,
    "database_hour": {1_000: 0.065, 1_000_000: 1.913},        # db.t4g.medium, db.r7g.4xlarge, for each zone
    "database_gb_month": 0.23,                                # gp3 in two zones
    "proxy_vcpu_hour": 0.015,
    "nat_hour": 0.045 + 0.005,                                # with a public address
    "nat_gb": 0.045,
    "zone_gb": 0.01,                                          # between zones, for each direction
    "out_gb": 0.09,                                           # to the Internet, above 100 GB
    "logs_gb": 0.50,
    "trace_million": 5.00,                                    # above 100,000
    "fixed": 60 * 0.10 + 3.00 + 4 * 0.40,                     # alarms, a dashboard, secrets
    "model_million_in": 0.10,                                 # gpt-6-luna, the default
    "model_million_out": 0.50,
}

BROKERS = {1_000: 3, 1_000_000: 6}
VCPUS = {1_000: 2, 1_000_000: 16}


def tiered(million, price):
    first, limit, beyond = price
    return min(million, limit) * first + max(million - limit, 0) * beyond


def month(students):
    """Lines of the bill, and the rates that a plan needs."""
    days = students * LOAD["active_share"] * LOAD["days"]
    things = {name: days * LOAD[name] for name in EVENTS}
    events = sum(things[name] * EVENTS[name] for name in EVENTS)
    runs = things["runs"] + things["submissions"]
    requests = days * LOAD["requests"]
    hours = days * LOAD["socket_hours"]
    messages = sum(things[name] * MESSAGES[name] for name in MESSAGES) + hours * PINGS_AN_HOUR
    asked = things["questions"] * LOAD["model_share"]
    invocations = events / BATCH[students] + requests + SCHEDULED
    gb_seconds = (
        events * HANDLE[0] * HANDLE[1] + runs * RUN[0] * RUN[1] + requests * REQUEST[0] * REQUEST[1]
        + SCHEDULED * HANDLE[0] * HANDLE[1] + asked * LOAD["model_seconds"] * HANDLE[1]
    )
    gb_events = events * LOAD["kb_per_event"] / 1e6
    gb_stored = 12 * sum(things.values()) * LOAD["kb_stored"] / 1e6
    gb_out = (requests * LOAD["kb_per_response"] + messages * LOAD["kb_per_message"]) / 1e6
    gb_logs = (events * LOAD["kb_per_log_line"] + invocations * LOAD["kb_per_invocation_log"]) / 1e6
    # Two of three brokers, and the database half of the time, are in another zone.
    gb_zones = gb_events * 2 / 3 + sum(things.values()) * LOAD["kb_with_database"] / 1e6 / 2
    gb_nat = asked * LOAD["kb_with_model"] / 1e6 + messages * 3 / 1e6
    # X-Ray takes the first request of a second, of which a quarter have one, and one of twenty more. It does not know Kafka's
    # mappings.
    traces = min(requests + SCHEDULED, HOURS * 3600 / 4 + 0.05 * (requests + SCHEDULED))
    p = PRICES
    bill = {
        "Lambda: computing": gb_seconds * p["lambda_gb_second"],
        "Lambda: invocations": invocations / 1e6 * p["lambda_million_requests"],
        "Lambda: pollers": math.ceil(MAPPINGS * POLLERS[students] / POLLERS_A_UNIT) * HOURS * p["poller_unit_hour"],
        "API Gateway": tiered(requests / 1e6, p["http_api_million"]) + tiered(messages / 1e6, p["websocket_million"])
        + hours * 60 / 1e6 * p["socket_million_minutes"],
        "MSK: brokers": BROKERS[students] * HOURS * p["msk_broker_hour"][students],
        "MSK: storage of 7 days, three times": gb_events * 7 / 30 * 3 * p["msk_gb_month"],
        "PostgreSQL: two zones": 2 * HOURS * p["database_hour"][students],
        "PostgreSQL: storage after a year": gb_stored * p["database_gb_month"],
        "RDS Proxy": VCPUS[students] * HOURS * p["proxy_vcpu_hour"],
        "NAT gateways": 2 * HOURS * p["nat_hour"] + gb_nat * p["nat_gb"],
        "Traffic between zones, and out": gb_zones * 2 * p["zone_gb"] + max(gb_out - 100, 0) * p["out_gb"],
        "Logs and traces": gb_logs * p["logs_gb"] + max(traces / 1e6 - 0.1, 0) * p["trace_million"],
        "Alarms, dashboard, secrets": p["fixed"],
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
