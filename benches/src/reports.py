"""Computes the outbound report by DuckDB, again and again.

Arguments: a CSV file of calls, first and last day of the range, and of the range before. For each line of standard input,
a number of rounds, a line of JSON comes back: the median time of a report in milliseconds, the mean CPU time of one, and
the dials of the range.
"""

import json
import statistics
import sys
import time

import duckdb


def main() -> None:
    file, *days = sys.argv[1:]
    ranges = [days[:2], days[2:]]
    db = duckdb.connect()
    db.execute("SET TimeZone = 'UTC'")
    db.execute(
        """CREATE TABLE calls AS
           SELECT seq, user_id, result, duration, ringing, won = 1 AS won, make_timestamp(began * 1000) AS local,
                  CAST(make_timestamp(began * 1000) AS DATE) AS day, result = 'ANSWERED' AS up
             FROM read_csv(?, header = true) ORDER BY began""",
        [file],
    )
    for line in sys.stdin:
        times, used = [], time.process_time()
        for _ in range(int(line)):
            began = time.perf_counter()
            dials = report(db, ranges)
            times.append((time.perf_counter() - began) * 1e3)
        used = (time.process_time() - used) * 1e3 / len(times)
        print(json.dumps({"ms": statistics.median(times), "cpu_ms": used, "dials": dials}), flush=True)


def report(db, ranges: list) -> int:
    dials = 0
    for place, (first, last) in enumerate(ranges):
        within = f"day BETWEEN DATE '{first}' AND DATE '{last}'"
        sums = db.execute(
            f"""SELECT COUNT(*), COUNT(*) FILTER (up), COUNT(*) FILTER (up AND duration > 60), COUNT(*) FILTER (won),
                       AVG(ringing), AVG(duration) FILTER (up), SUM(duration) FILTER (up) FROM calls WHERE {within}"""
        ).fetchone()
        db.execute(
            f"SELECT day, COUNT(*), COUNT(*) FILTER (up), COUNT(*) FILTER (won) FROM calls WHERE {within} GROUP BY 1 ORDER BY 1"
        ).fetchall()
        if place == 0:
            dials = sums[0]
            db.execute(
                f"SELECT (isodow(day) - 1) * 24 + hour(local), COUNT(*), COUNT(*) FILTER (up) FROM calls WHERE {within} GROUP BY 1"
            ).fetchall()
            db.execute(
                f"SELECT user_id, COUNT(*) FILTER (up) AS n FROM calls WHERE {within} GROUP BY 1 ORDER BY n DESC"
            ).fetchall()
    return dials


main()
