-- People, companies and deals as the CRM knows them. The `…_key` columns hold folded text: what is sorted and compared
-- by, whatever its case and accents. `words` is what the free-text search looks into: a space before each folded word.
-- (Rows from before are folded as far as SQL can; each is folded whole when it is next changed.)
-- `interactions` and `last_at` are kept in the transaction of each item; `active_at` is `last_at`, or `created_at` before
-- anything happened. An archived person has its numbers in `put_away` instead of in `contact_numbers`, so that nothing
-- finds it by them.
ALTER TABLE contacts ADD COLUMN website TEXT;
ALTER TABLE contacts ADD COLUMN address TEXT;
ALTER TABLE contacts ADD COLUMN first_key TEXT NOT NULL DEFAULT '';
ALTER TABLE contacts ADD COLUMN last_key TEXT NOT NULL DEFAULT '';
ALTER TABLE contacts ADD COLUMN title_key TEXT NOT NULL DEFAULT '';
ALTER TABLE contacts ADD COLUMN site_key TEXT NOT NULL DEFAULT '';
ALTER TABLE contacts ADD COLUMN name_key TEXT NOT NULL DEFAULT '';
ALTER TABLE contacts ADD COLUMN words TEXT NOT NULL DEFAULT '';
ALTER TABLE contacts ADD COLUMN interactions INTEGER NOT NULL DEFAULT 0;
ALTER TABLE contacts ADD COLUMN last_at INTEGER;
ALTER TABLE contacts ADD COLUMN active_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE contacts ADD COLUMN archived_at INTEGER;
ALTER TABLE contacts ADD COLUMN put_away TEXT;

-- CROSS JOIN: in this order, or each person costs a walk of the team's conversations.
UPDATE contacts SET
    first_key = lower(COALESCE(first_name, '')),
    last_key  = lower(COALESCE(last_name, '')),
    title_key = lower(COALESCE(job_title, '')),
    name_key  = COALESCE(NULLIF(trim(lower(COALESCE(first_name, '') || ' ' || COALESCE(last_name, ''))), ''), char(65535)),
    words     = ' ' || lower(COALESCE(first_name, '') || ' ' || COALESCE(last_name, ''))
        || COALESCE((SELECT group_concat(' ' || substr(n.number, 2), '') FROM contact_numbers n
                      WHERE n.team_id = contacts.team_id AND n.contact_id = contacts.id), '')
        || COALESCE((SELECT group_concat(' ' || replace(replace(e.email, '@', ' '), '.', ' '), '') FROM contact_emails e
                      WHERE e.team_id = contacts.team_id AND e.contact_id = contacts.id), ''),
    interactions = (SELECT COALESCE(SUM(c.items), 0) FROM contact_numbers n
                     CROSS JOIN conversations c ON c.team_id = n.team_id AND c.contact_number = n.number
                     WHERE n.team_id = contacts.team_id AND n.contact_id = contacts.id),
    last_at      = (SELECT MAX(c.last_at) FROM contact_numbers n
                     CROSS JOIN conversations c ON c.team_id = n.team_id AND c.contact_number = n.number
                     WHERE n.team_id = contacts.team_id AND n.contact_id = contacts.id);
UPDATE contacts SET active_at = COALESCE(last_at, created_at);

CREATE INDEX contacts_active ON contacts (team_id, active_at, id) WHERE archived_at IS NULL;
CREATE INDEX contacts_created ON contacts (team_id, created_at, id) WHERE archived_at IS NULL;
CREATE INDEX contacts_name ON contacts (team_id, name_key, id) WHERE archived_at IS NULL;
CREATE INDEX contacts_company ON contacts (team_id, company_id, last_at) WHERE company_id IS NOT NULL AND archived_at IS NULL;

-- `person_count`, `interactions` and `last_at` are those of the people of the company who are not archived.
ALTER TABLE companies ADD COLUMN website TEXT;
ALTER TABLE companies ADD COLUMN industry TEXT;
ALTER TABLE companies ADD COLUMN site_key TEXT NOT NULL DEFAULT '';
ALTER TABLE companies ADD COLUMN industry_key TEXT NOT NULL DEFAULT '';
ALTER TABLE companies ADD COLUMN person_count INTEGER NOT NULL DEFAULT 0;
ALTER TABLE companies ADD COLUMN interactions INTEGER NOT NULL DEFAULT 0;
ALTER TABLE companies ADD COLUMN last_at INTEGER;
ALTER TABLE companies ADD COLUMN active_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE companies ADD COLUMN has_deals INTEGER NOT NULL DEFAULT FALSE;

UPDATE companies SET
    person_count = (SELECT COUNT(*) FROM contacts c WHERE c.team_id = companies.team_id AND c.company_id = companies.id
                       AND c.archived_at IS NULL),
    interactions = (SELECT COALESCE(SUM(c.interactions), 0) FROM contacts c WHERE c.team_id = companies.team_id
                       AND c.company_id = companies.id AND c.archived_at IS NULL),
    last_at      = (SELECT MAX(c.last_at) FROM contacts c WHERE c.team_id = companies.team_id
                       AND c.company_id = companies.id AND c.archived_at IS NULL),
    has_deals    = EXISTS (SELECT 1 FROM deals d WHERE d.team_id = companies.team_id AND d.company_id = companies.id);
UPDATE companies SET active_at = COALESCE(last_at, created_at);

CREATE INDEX companies_active ON companies (team_id, active_at, id);
DROP INDEX companies_name;
CREATE INDEX companies_name ON companies (team_id, name_key, id);
CREATE INDEX companies_created ON companies (team_id, created_at, id);

-- The status of a deal is the team's own word for it ('' stands for none).
ALTER TABLE deals ADD COLUMN name_key TEXT NOT NULL DEFAULT '';
ALTER TABLE deals ADD COLUMN status_key TEXT NOT NULL DEFAULT '';
ALTER TABLE deals ADD COLUMN closed_at INTEGER;
UPDATE deals SET name_key = lower(name), status_key = lower(status);

CREATE INDEX deals_updated ON deals (team_id, updated_at, id);
CREATE INDEX deals_created ON deals (team_id, created_at, id);
CREATE INDEX deals_name ON deals (team_id, name_key, id);
CREATE INDEX deals_status ON deals (team_id, status_key, updated_at, id);
CREATE INDEX deals_company ON deals (team_id, company_id) WHERE company_id IS NOT NULL;
CREATE INDEX deal_contacts_deal ON deal_contacts (team_id, deal_id, contact_id);

-- How many there are: exact totals without counting.
CREATE TABLE crm_totals (
    team_id INTEGER NOT NULL,
    kind    TEXT   NOT NULL,
    n       INTEGER NOT NULL,
    PRIMARY KEY (team_id, kind)
) STRICT, WITHOUT ROWID;
INSERT INTO crm_totals (team_id, kind, n) SELECT team_id, 'PERSON', COUNT(*) FROM contacts GROUP BY team_id;
INSERT INTO crm_totals (team_id, kind, n) SELECT team_id, 'COMPANY', COUNT(*) FROM companies GROUP BY team_id;
INSERT INTO crm_totals (team_id, kind, n) SELECT team_id, 'DEAL', COUNT(*) FROM deals GROUP BY team_id;

-- Two people that were found to be one: the id that is no more, and whose it is now.
CREATE TABLE merged_contacts (
    team_id INTEGER NOT NULL,
    id      TEXT   NOT NULL,
    into_id TEXT   NOT NULL,
    PRIMARY KEY (team_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX merged_contacts_into ON merged_contacts (team_id, into_id);

-- Imports of people: how far each has come. The rows wait in chunks (JSON), each of which goes in the transaction that
-- applies it.
CREATE TABLE imports (
    team_id     INTEGER NOT NULL,
    id          TEXT   NOT NULL,
    state       TEXT   NOT NULL,
    total       INTEGER NOT NULL,
    done        INTEGER NOT NULL,
    created     INTEGER NOT NULL,
    updated     INTEGER NOT NULL,
    unchanged   INTEGER NOT NULL,
    failed      INTEGER NOT NULL,
    errors      TEXT,
    created_at  INTEGER NOT NULL,
    finished_at INTEGER,
    PRIMARY KEY (team_id, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE import_chunks (
    team_id INTEGER NOT NULL,
    id      TEXT   NOT NULL,
    chunk   INTEGER NOT NULL,
    rows    TEXT   NOT NULL,
    PRIMARY KEY (team_id, id, chunk)
) STRICT;
