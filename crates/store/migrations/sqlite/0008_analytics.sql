-- What calls that have ended came to, summed up where reports read it. Everything here follows from items, calls and
-- item_tags, and can be computed anew from them. `scope` is '' for the whole team, '#' and a line, the id of a user, or
-- '-' for nobody. `slot` counts quarters of an hour since 1970: time zones begin their hours and days on one.
CREATE TABLE call_slots (
    team_id       INTEGER NOT NULL,
    scope         TEXT    NOT NULL,
    direction     TEXT    NOT NULL,
    slot          INTEGER NOT NULL,
    calls         INTEGER NOT NULL,
    connected     INTEGER NOT NULL,
    conversations INTEGER NOT NULL,
    voicemail     INTEGER NOT NULL,
    missed        INTEGER NOT NULL,
    talk_seconds  INTEGER NOT NULL,
    ringing_ms    INTEGER NOT NULL,
    waited_ms     INTEGER NOT NULL,
    PRIMARY KEY (team_id, scope, direction, slot)
) STRICT, WITHOUT ROWID;

-- The same by day, line and user (the user's id, or '-').
CREATE TABLE call_days (
    team_id       INTEGER NOT NULL,
    direction     TEXT    NOT NULL,
    day           INTEGER NOT NULL,
    line          INTEGER NOT NULL,
    user_id       TEXT    NOT NULL,
    calls         INTEGER NOT NULL,
    connected     INTEGER NOT NULL,
    conversations INTEGER NOT NULL,
    talk_seconds  INTEGER NOT NULL,
    PRIMARY KEY (team_id, direction, day, line, user_id)
) STRICT, WITHOUT ROWID;

-- The same by all the tags that a call carries: sorted, each between commas. Calls without tags are not here.
CREATE TABLE call_tags (
    team_id       INTEGER NOT NULL,
    scope         TEXT    NOT NULL,
    direction     TEXT    NOT NULL,
    day           INTEGER NOT NULL,
    tags          TEXT    NOT NULL,
    calls         INTEGER NOT NULL,
    connected     INTEGER NOT NULL,
    conversations INTEGER NOT NULL,
    talk_seconds  INTEGER NOT NULL,
    PRIMARY KEY (team_id, scope, direction, day, tags)
) STRICT, WITHOUT ROWID;

INSERT INTO call_slots (team_id, scope, direction, slot, calls, connected, conversations, voicemail, missed, talk_seconds, ringing_ms, waited_ms)
    WITH base AS (
    SELECT i.team_id, i.direction, (i.at - (i.at % 900000 + 900000) % 900000) / 900000 AS slot, i.line,
           COALESCE(i.user_id, '-') AS handler,
           COUNT(*) AS calls,
           SUM(CASE WHEN i.result IN ('ANSWERED', 'TRANSFERRED_AI', 'TRANSFERRED_EXTERNAL') THEN 1 ELSE 0 END) AS connected,
           SUM(CASE WHEN i.result IN ('ANSWERED', 'TRANSFERRED_AI', 'TRANSFERRED_EXTERNAL') AND i.duration > 60 THEN 1 ELSE 0 END) AS conversations,
           SUM(CASE WHEN i.result = 'VOICEMAIL' THEN 1 ELSE 0 END) AS voicemail,
           SUM(CASE WHEN i.result = 'MISSED' THEN 1 ELSE 0 END) AS missed,
           SUM(CASE WHEN i.result IN ('ANSWERED', 'TRANSFERRED_AI', 'TRANSFERRED_EXTERNAL') THEN COALESCE(i.duration, 0) ELSE 0 END) AS talk_seconds,
           SUM(COALESCE(c.answered_at, c.voicemail_at, c.ended_at, i.at) - i.at) AS ringing_ms,
           SUM(CASE WHEN i.result IN ('ANSWERED', 'TRANSFERRED_AI', 'TRANSFERRED_EXTERNAL') THEN COALESCE(c.answered_at, i.at) - i.at ELSE 0 END) AS waited_ms
      FROM items i JOIN calls c ON c.team_id = i.team_id AND c.seq = i.seq
     WHERE i.kind = 'CALL' AND i.result IS NOT NULL
     GROUP BY 1, 2, 3, 4, 5)
    SELECT team_id, '', direction, slot, CAST(SUM(calls) AS BIGINT), CAST(SUM(connected) AS BIGINT), CAST(SUM(conversations) AS BIGINT), CAST(SUM(voicemail) AS BIGINT), CAST(SUM(missed) AS BIGINT), CAST(SUM(talk_seconds) AS BIGINT), CAST(SUM(ringing_ms) AS BIGINT), CAST(SUM(waited_ms) AS BIGINT)
      FROM base GROUP BY team_id, direction, slot
     UNION ALL
    SELECT team_id, handler, direction, slot, CAST(SUM(calls) AS BIGINT), CAST(SUM(connected) AS BIGINT), CAST(SUM(conversations) AS BIGINT), CAST(SUM(voicemail) AS BIGINT), CAST(SUM(missed) AS BIGINT), CAST(SUM(talk_seconds) AS BIGINT), CAST(SUM(ringing_ms) AS BIGINT), CAST(SUM(waited_ms) AS BIGINT)
      FROM base GROUP BY team_id, handler, direction, slot
     UNION ALL
    SELECT team_id, '#' || line, direction, slot, CAST(SUM(calls) AS BIGINT), CAST(SUM(connected) AS BIGINT), CAST(SUM(conversations) AS BIGINT), CAST(SUM(voicemail) AS BIGINT), CAST(SUM(missed) AS BIGINT), CAST(SUM(talk_seconds) AS BIGINT), CAST(SUM(ringing_ms) AS BIGINT), CAST(SUM(waited_ms) AS BIGINT)
      FROM base GROUP BY team_id, line, direction, slot;

INSERT INTO call_days (team_id, direction, day, line, user_id, calls, connected, conversations, talk_seconds)
    SELECT i.team_id, i.direction, i.day, i.line, COALESCE(i.user_id, '-'), COUNT(*),
           SUM(CASE WHEN i.result IN ('ANSWERED', 'TRANSFERRED_AI', 'TRANSFERRED_EXTERNAL') THEN 1 ELSE 0 END),
           SUM(CASE WHEN i.result IN ('ANSWERED', 'TRANSFERRED_AI', 'TRANSFERRED_EXTERNAL') AND i.duration > 60 THEN 1 ELSE 0 END),
           CAST(SUM(CASE WHEN i.result IN ('ANSWERED', 'TRANSFERRED_AI', 'TRANSFERRED_EXTERNAL') THEN COALESCE(i.duration, 0) ELSE 0 END) AS BIGINT)
      FROM items i
     WHERE i.kind = 'CALL' AND i.result IS NOT NULL
     GROUP BY 1, 2, 3, 4, 5;

INSERT INTO call_tags (team_id, scope, direction, day, tags, calls, connected, conversations, talk_seconds)
    WITH tagged AS (
    SELECT team_id, seq, ',' || string_agg(tag, ',' ORDER BY tag) || ',' AS tags
      FROM item_tags GROUP BY team_id, seq),
    base AS (
    SELECT i.team_id, i.direction, i.day, i.line, COALESCE(i.user_id, '-') AS handler, t.tags, COUNT(*) AS calls,
           SUM(CASE WHEN i.result IN ('ANSWERED', 'TRANSFERRED_AI', 'TRANSFERRED_EXTERNAL') THEN 1 ELSE 0 END) AS connected,
           SUM(CASE WHEN i.result IN ('ANSWERED', 'TRANSFERRED_AI', 'TRANSFERRED_EXTERNAL') AND i.duration > 60 THEN 1 ELSE 0 END) AS conversations,
           SUM(CASE WHEN i.result IN ('ANSWERED', 'TRANSFERRED_AI', 'TRANSFERRED_EXTERNAL') THEN COALESCE(i.duration, 0) ELSE 0 END) AS talk_seconds
      FROM tagged t JOIN items i ON i.team_id = t.team_id AND i.seq = t.seq
     WHERE i.kind = 'CALL' AND i.result IS NOT NULL
     GROUP BY 1, 2, 3, 4, 5, 6)
    SELECT team_id, '', direction, day, tags, CAST(SUM(calls) AS BIGINT), CAST(SUM(connected) AS BIGINT), CAST(SUM(conversations) AS BIGINT), CAST(SUM(talk_seconds) AS BIGINT)
      FROM base GROUP BY team_id, direction, day, tags
     UNION ALL
    SELECT team_id, handler, direction, day, tags, CAST(SUM(calls) AS BIGINT), CAST(SUM(connected) AS BIGINT), CAST(SUM(conversations) AS BIGINT), CAST(SUM(talk_seconds) AS BIGINT)
      FROM base GROUP BY team_id, handler, direction, day, tags
     UNION ALL
    SELECT team_id, '#' || line, direction, day, tags, CAST(SUM(calls) AS BIGINT), CAST(SUM(connected) AS BIGINT), CAST(SUM(conversations) AS BIGINT), CAST(SUM(talk_seconds) AS BIGINT)
      FROM base GROUP BY team_id, line, direction, day, tags;
