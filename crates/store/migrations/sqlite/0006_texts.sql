-- What texts are sent by. `marketing_hours`: the team keeps to the French hours for marketing texts.
ALTER TABLE teams ADD COLUMN marketing_hours INTEGER NOT NULL DEFAULT 0;

-- `a2p_registered`: registered for texts of applications (asked for in the US and in Canada). `sender_id_status` is of
-- sender ids only. `text_interval_us`: the least time between two texts (NULL: as the operator has it for all lines).
-- `texts_per_day` likewise. The sandbox asks for no registration.
ALTER TABLE numbers ADD COLUMN a2p_registered INTEGER NOT NULL DEFAULT 0;
ALTER TABLE numbers ADD COLUMN sender_id_status TEXT;
ALTER TABLE numbers ADD COLUMN text_interval_us INTEGER;
ALTER TABLE numbers ADD COLUMN texts_per_day INTEGER;
UPDATE numbers SET a2p_registered = 1 WHERE carrier = 'sandbox' AND kind = 'NUMBER';
UPDATE numbers SET sender_id_status = CASE WHEN carrier = 'sandbox' THEN 'ACTIVE' ELSE 'PENDING' END
 WHERE kind = 'SENDER_ID';

-- NULL for texts of before, and of calls of the import: then it is counted when it is shown.
ALTER TABLE messages ADD COLUMN segments INTEGER;

-- Who wants no texts from which line, by their own word. The row stays when they opt in again. `help_at`: when HELP was
-- answered last.
CREATE TABLE text_consents (
    team_id        INTEGER NOT NULL,
    contact_number TEXT    NOT NULL,
    line           INTEGER NOT NULL,
    opted_out      INTEGER NOT NULL,
    changed_at     INTEGER,
    item           INTEGER,
    help_at        INTEGER,
    PRIMARY KEY (team_id, contact_number, line)
) STRICT, WITHOUT ROWID;

-- Texts that went out on a day of the team's time zone: all, and those that came through the API.
CREATE TABLE text_counts (
    team_id INTEGER NOT NULL,
    day     INTEGER NOT NULL,
    line    INTEGER NOT NULL,
    n       INTEGER NOT NULL,
    api     INTEGER NOT NULL,
    PRIMARY KEY (team_id, day, line)
) STRICT, WITHOUT ROWID;

-- Texts that wait for their carrier. Within a conversation they go out one after the other. `asked_at`: since when it
-- is not known whether the carrier has it.
CREATE TABLE text_queue (
    team_id      INTEGER NOT NULL,
    line         INTEGER NOT NULL,
    seq          INTEGER NOT NULL,
    conversation INTEGER NOT NULL,
    run_at       INTEGER NOT NULL,
    lease_until  INTEGER NOT NULL,
    attempts     INTEGER NOT NULL,
    asked_at     INTEGER,
    PRIMARY KEY (team_id, line, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX text_queue_conversation ON text_queue (team_id, conversation, seq);

-- One row for each line that ever sent a text: how many wait, and when the next may go (microseconds since 1970).
CREATE TABLE text_lanes (
    team_id  INTEGER NOT NULL,
    line     INTEGER NOT NULL,
    waiting  INTEGER NOT NULL,
    ready_us INTEGER NOT NULL,
    PRIMARY KEY (team_id, line)
) STRICT, WITHOUT ROWID;

-- Texts that waited as jobs.
INSERT INTO text_queue (team_id, line, seq, conversation, run_at, lease_until, attempts, asked_at)
SELECT j.team_id, i.line, i.seq, i.conversation, j.run_at, j.lease_until, j.attempts,
       CASE WHEN j.attempts > 0 THEN i.at END
  FROM jobs j JOIN items i ON i.team_id = j.team_id AND i.id = j.id
 WHERE j.kind = 'message.send';
INSERT INTO text_lanes (team_id, line, waiting, ready_us)
SELECT team_id, line, COUNT(*), 0 FROM text_queue GROUP BY team_id, line;
DELETE FROM jobs WHERE kind = 'message.send';
