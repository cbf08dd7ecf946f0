"""Computes reports by DuckDB, from an export of the rows.

Reads JSON from standard input: the team's time zone, its calls, texts and tags as they are stored, and queries. Prints a
list with, for each query, the figures that the report must have.
"""

import json
import sys

import duckdb
import smpplib.gsm

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
    texts(db, given)
    json.dump([answer(db, query) for query in given["queries"]], sys.stdout)


def texts(db, given: dict) -> None:
    """Makes the table `texts`, each with what came before it and the answer after it in its conversation."""
    db.execute(
        "CREATE TABLE raw_texts (seq BIGINT, direction VARCHAR, line VARCHAR, contact VARCHAR, user_id VARCHAR,"
        " began BIGINT, status VARCHAR, parts BIGINT)"
    )
    rows = [[*row[:-1], len(smpplib.gsm.make_parts(row[-1])[0])] for row in given["texts"]]
    if rows:
        db.executemany(f"INSERT INTO raw_texts VALUES ({', '.join('?' * 8)})", rows)
    db.execute(
        """CREATE TABLE texts AS
            SELECT *, CAST(timezone(?, make_timestamptz(began * 1000)) AS DATE) AS day, direction = 'OUTBOUND' AS ours,
                   LAG(direction) OVER earlier AS before,
                   MIN(CASE WHEN direction = 'OUTBOUND' THEN began END) OVER later AS answer
              FROM raw_texts
            WINDOW earlier AS (PARTITION BY line, contact ORDER BY began, seq),
                   later AS (PARTITION BY line, contact ORDER BY began, seq
                             ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING)""",
        [given["zone"]],
    )


def where(db, query: dict, days: dict, direction: str | None, table: str = "calls") -> str:
    """Makes the view `c` of the calls or texts a query is about."""
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
            SELECT *, EXISTS (SELECT 1 FROM tags t WHERE t.seq = {table}.seq AND t.tag IN ({tags})) AS won
              FROM {table} WHERE {' AND '.join(conditions)}"""
    )


def one(db, sql: str) -> list:
    return [float(value or 0) for value in db.execute(sql).fetchone()]


def pairs(db, sql: str) -> dict:
    return {str(row[0]): [float(value or 0) for value in row[1:]] for row in db.execute(sql).fetchall()}


def answer(db, query: dict) -> dict:
    body = query["body"]
    find = {"overview": overview, "outbound": outbound, "inbound": inbound, "messages": messages}[query["report"]]
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
    series = buckets(db, query, days, "COUNT(c.seq), COUNT(c.seq) FILTER (c.up), COUNT(c.seq) FILTER (c.won)")
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


def buckets(db, query: dict, days: dict, figures: str) -> dict:
    """A series of `c`: every bucket of the range."""
    step = {"DAY": "day", "WEEK": "week", "MONTH": "month"}[query["body"].get("granularity", "DAY")]
    return pairs(
        db,
        f"""SELECT CAST(date_trunc('{step}', d.day) AS DATE), {figures}
              FROM (SELECT CAST(unnest(generate_series(DATE '{days['from']}', DATE '{days['to']}', INTERVAL 1 DAY))
                    AS DATE) AS day) d
              LEFT JOIN c ON c.day = d.day GROUP BY 1""",
    )


def messages(db, query: dict, days: dict) -> dict:
    where(db, query, days, None, "texts")
    sums = one(
        db,
        """SELECT COUNT(*) FILTER (ours), COUNT(*) FILTER (NOT ours), COUNT(*) FILTER (ours AND status = 'DELIVERED'),
                  COUNT(*) FILTER (ours AND status = 'FAILED'),
                  COUNT(*) FILTER (ours AND status = 'DELIVERED') / GREATEST(COUNT(*) FILTER (ours), 1),
                  SUM(parts) FILTER (ours), COUNT(answer) FILTER (opens), AVG(answer - began) FILTER (opens) / 1000
             FROM (SELECT *, NOT ours AND before IS DISTINCT FROM 'INBOUND' AS opens FROM c)""",
    )
    series = buckets(
        db,
        query,
        days,
        """COUNT(c.seq) FILTER (ours), COUNT(c.seq) FILTER (NOT ours),
           COUNT(c.seq) FILTER (ours AND status = 'DELIVERED'), COUNT(c.seq) FILTER (ours AND status = 'FAILED'),
           SUM(parts) FILTER (ours)""",
    )
    return {"sums": sums, "series": series}


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
