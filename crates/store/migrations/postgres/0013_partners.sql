-- Since when the keys of a team open nothing: for the time being, and for good.
ALTER TABLE teams ADD COLUMN suspended_at BIGINT;
ALTER TABLE teams ADD COLUMN closed_at BIGINT;

-- Accounts that a team made for its customers: each a team of its own, `account` (its public id). `key_id` is the API key that made it, and
-- sees it.
CREATE TABLE partner_accounts (
    team_id         BIGINT NOT NULL,
    id              TEXT COLLATE "C" NOT NULL,
    key_id          TEXT COLLATE "C" NOT NULL,
    account         TEXT COLLATE "C" NOT NULL,
    email           TEXT COLLATE "C" NOT NULL,
    name            TEXT COLLATE "C" NOT NULL,
    personal_mobile TEXT COLLATE "C" NOT NULL,
    number          TEXT COLLATE "C" NOT NULL,
    client_ref      TEXT COLLATE "C",
    status          TEXT COLLATE "C" NOT NULL,
    created_at      BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL,
    PRIMARY KEY (team_id, id)
);
CREATE UNIQUE INDEX partner_accounts_email ON partner_accounts (team_id, email) WHERE status <> 'DEACTIVATED';
