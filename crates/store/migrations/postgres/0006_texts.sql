-- What texts are sent by. `marketing_hours`: the team keeps to the French hours for marketing texts.
ALTER TABLE teams ADD COLUMN marketing_hours BOOLEAN NOT NULL DEFAULT FALSE;

-- `a2p_registered`: registered for texts of applications (asked for in the US and in Canada). `sender_id_status` is of
-- sender ids only. `text_interval_us`: the least time between two texts (NULL: as the operator has it for all lines).
-- `texts_per_day` likewise. The sandbox asks for no registration.
ALTER TABLE numbers ADD COLUMN a2p_registered BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE numbers ADD COLUMN sender_id_status TEXT COLLATE "C";
ALTER TABLE numbers ADD COLUMN text_interval_us BIGINT;
ALTER TABLE numbers ADD COLUMN texts_per_day BIGINT;
UPDATE numbers SET a2p_registered = TRUE WHERE carrier = 'sandbox' AND kind = 'NUMBER';
UPDATE numbers SET sender_id_status = CASE WHEN carrier = 'sandbox' THEN 'ACTIVE' ELSE 'PENDING' END
 WHERE kind = 'SENDER_ID';

-- NULL for texts of before, and of calls of the import: then it is counted when it is shown.
ALTER TABLE messages ADD COLUMN segments BIGINT;

-- Who wants no texts from which line, by their own word. The row stays when they opt in again. `help_at`: when HELP was
-- answered last.
CREATE TABLE text_consents (
    team_id        BIGINT NOT NULL,
    contact_number TEXT COLLATE "C" NOT NULL,
    line           BIGINT NOT NULL,
    opted_out      BOOLEAN NOT NULL,
    changed_at     BIGINT,
    item           BIGINT,
    help_at        BIGINT,
    PRIMARY KEY (team_id, contact_number, line)
);

-- Texts that went out on a day of the team's time zone: all, and those that came through the API.
CREATE TABLE text_counts (
    team_id BIGINT NOT NULL,
    day     BIGINT NOT NULL,
    line    BIGINT NOT NULL,
    n       BIGINT NOT NULL,
    api     BIGINT NOT NULL,
    PRIMARY KEY (team_id, day, line)
);

-- Texts that wait for their carrier. Within a conversation they go out one after the other. `asked_at`: since when it
-- is not known whether the carrier has it.
CREATE TABLE text_queue (
    team_id      BIGINT NOT NULL,
    line         BIGINT NOT NULL,
    seq          BIGINT NOT NULL,
    conversation BIGINT NOT NULL,
    run_at       BIGINT NOT NULL,
    lease_until  BIGINT NOT NULL,
    attempts     BIGINT NOT NULL,
    asked_at     BIGINT,
    PRIMARY KEY (team_id, line, seq)
);
CREATE INDEX text_queue_conversation ON text_queue (team_id, conversation, seq);

-- One row for each line that ever sent a text: how many wait, and when the next may go (microseconds since 1970).
CREATE TABLE text_lanes (
    team_id  BIGINT NOT NULL,
    line     BIGINT NOT NULL,
    waiting  BIGINT NOT NULL,
    ready_us BIGINT NOT NULL,
    PRIMARY KEY (team_id, line)
);

-- Texts that waited as jobs.
INSERT INTO text_queue (team_id, line, seq, conversation, run_at, lease_until, attempts, asked_at)
SELECT j.team_id, i.line, i.seq, i.conversation, j.run_at, j.lease_until, j.attempts,
       CASE WHEN j.attempts > 0 THEN i.at END
  FROM jobs j JOIN items i ON i.team_id = j.team_id AND i.id = j.id
 WHERE j.kind = 'message.send';
INSERT INTO text_lanes (team_id, line, waiting, ready_us)
SELECT team_id, line, COUNT(*), 0 FROM text_queue GROUP BY team_id, line;
DELETE FROM jobs WHERE kind = 'message.send';
