"""Computes reports by DuckDB, from an export of the rows.

Reads JSON from standard input: the team's time zone, its calls, texts and tags as they are stored, and queries. Prints a
list with, for each query, the figures that the report must have.
"""

import json
import sys

import duckdb

CONNECTED = "('ANSWERED', 'TRANSFERRED_AI', 'TRANSFERRED_EXTERNAL')"


def main() -> None:
    given = json.load(sys.stdin.buffer)
    db = duckdb.connect()
    db.execute("SET TimeZone = 'UTC'")
    db.execute(
        "CREATE TABLE raw (seq BIGINT, id VARCHAR, direction VARCHAR, line VARCHAR, contact VARCHAR, user_id VARCHAR,"
        " began BIGINT, result VARCHAR, duration BIGINT, answered_at BIGINT, voicemail_at BIGINT, ended_at BIGINT)"
    )
    db.executemany(f"INSERT INTO raw VALUES ({', '.join('?' * 12)})", given["calls"])
    db.execute("CREATE TABLE tags (seq BIGINT, tag VARCHAR)")
    if given["tags"]:
        db.executemany("INSERT INTO tags VALUES (?, ?)", given["tags"])
    # Clocks of the team, by the time zone database of ICU.
    db.execute(
        f"""CREATE TABLE calls AS
            SELECT *, timezone(?, make_timestamptz(began * 1000)) AS local, CAST(local AS DATE) AS day,
                   result IN {CONNECTED} AS up, COALESCE(answered_at, voicemail_at, ended_at) - began AS ringing
              FROM raw""",
        [given["zone"]],
    )
    db.execute("CREATE INDEX calls_day ON calls (day)")
    json.dump([answer(db, query) for query in given["queries"]], sys.stdout)


def where(db, query: dict, days: dict, direction: str | None) -> str:
    """Makes the view `c` of the calls a query is about."""
    conditions = [f"day BETWEEN DATE '{days['from']}' AND DATE '{days['to']}'"]
    if direction:
        conditions.append(f"direction = '{direction}'")
    for field, column in (("user_ids", "user_id"), ("allo_numbers", "line")):
        if query["body"].get(field):
            listed = ", ".join(f"'{value}'" for value in query["body"][field])
            conditions.append(f"{column} IN ({listed})")
    tags = ", ".join(f"'{tag}'" for tag in query["body"].get("tags", [])) or "NULL"
    db.execute(
        f"""CREATE OR REPLACE TEMP TABLE c AS
            SELECT *, EXISTS (SELECT 1 FROM tags t WHERE t.seq = calls.seq AND t.tag IN ({tags})) AS won
              FROM calls WHERE {' AND '.join(conditions)}"""
    )


def one(db, sql: str) -> list:
    return [float(value or 0) for value in db.execute(sql).fetchone()]


def pairs(db, sql: str) -> dict:
    return {str(row[0]): [float(value or 0) for value in row[1:]] for row in db.execute(sql).fetchall()}


def answer(db, query: dict) -> dict:
    body = query["body"]
    find = {"overview": overview, "outbound": outbound, "inbound": inbound}[query["report"]]
    figures = find(db, query, body["date"])
    if body.get("compare_date"):
        figures["previous"] = find(db, query, body["compare_date"])["sums"]
    return figures


def overview(db, query: dict, days: dict) -> dict:
    where(db, query, days, None)
    figures = (
        "COUNT(*), SUM(CASE WHEN up THEN duration END), COUNT(*) FILTER (up AND duration > 60),"
        " COUNT(*) FILTER (up) / COUNT(*)"
    )
    group = query["body"].get("group_by", "USER")
    table, key = {
        "USER": ("c", "user_id"),
        "ALLO_NUMBER": ("c", "line"),
        "TAG": ("c JOIN tags USING (seq)", "tag"),
    }[group]
    by = pairs(db, f"SELECT {key}, {figures} FROM {table} WHERE {key} IS NOT NULL GROUP BY 1")
    return {"sums": one(db, f"SELECT {figures.replace('/ COUNT(*)', '/ GREATEST(COUNT(*), 1)')} FROM c"), "by": by}


def outbound(db, query: dict, days: dict) -> dict:
    where(db, query, days, "OUTBOUND")
    sums = one(
        db,
        """SELECT COUNT(*), COUNT(*) FILTER (up), COUNT(*) FILTER (up AND duration > 60), COUNT(*) FILTER (won),
                  AVG(ringing) FILTER (result IS NOT NULL) / 1000, AVG(duration) FILTER (up),
                  SUM(duration) FILTER (up) FROM c""",
    )
    step = {"DAY": "day", "WEEK": "week", "MONTH": "month"}[query["body"].get("granularity", "DAY")]
    series = pairs(
        db,
        f"""SELECT CAST(date_trunc('{step}', d.day) AS DATE), COUNT(c.seq), COUNT(c.seq) FILTER (c.up),
                   COUNT(c.seq) FILTER (c.won)
              FROM (SELECT CAST(unnest(generate_series(DATE '{days['from']}', DATE '{days['to']}', INTERVAL 1 DAY))
                    AS DATE) AS day) d
              LEFT JOIN c ON c.day = d.day GROUP BY 1""",
    )
    heat = pairs(
        db,
        """SELECT (isodow(day) - 1) * 24 + hour(local), COUNT(*), COUNT(*) FILTER (up) FROM c GROUP BY 1""",
    )
    leaders = pairs(db, "SELECT user_id, COUNT(*) FILTER (up) FROM c WHERE user_id IS NOT NULL AND result IS NOT NULL GROUP BY 1")
    behind = {
        "DIAL": "true",
        "CONNECTED": "up",
        "CONVERSATION": "up AND duration > 60",
        "CONVERSION": "won",
    }[query["body"].get("stage", "DIAL")]
    rows = db.execute(f"SELECT id FROM c WHERE {behind} ORDER BY began DESC, seq DESC LIMIT 20").fetchall()
    return {"sums": sums, "series": series, "heat": heat, "leaders": leaders, "items": [row[0] for row in rows]}


def inbound(db, query: dict, days: dict) -> dict:
    where(db, query, days, "INBOUND")
    sums = one(
        db,
        """SELECT COUNT(*), COUNT(*) FILTER (up), COUNT(*) FILTER (result = 'MISSED'),
                  COUNT(*) FILTER (result = 'VOICEMAIL'), AVG(ringing) FILTER (up) / 1000 FROM c""",
    )
    back = one(
        db,
        """SELECT COUNT(back), AVG(back - began) / 1000 FROM (
               SELECT began, (SELECT MIN(o.began) FROM raw o
                            WHERE o.direction = 'OUTBOUND' AND o.contact = c.contact AND o.began > c.began) AS back
                 FROM c WHERE result IN ('MISSED', 'VOICEMAIL'))""",
    )
    hours = pairs(
        db,
        """SELECT hour(local), COUNT(*), COUNT(*) FILTER (up), COUNT(*) FILTER (result = 'MISSED'),
                  COUNT(*) FILTER (result = 'VOICEMAIL') FROM c GROUP BY 1""",
    )
    return {"sums": sums + back, "hours": hours}


main()
