-- When somebody was last seen at bringing this team in from another installation; NULL: it is here. Until then it is in no
-- list, and nothing leads to it.
ALTER TABLE teams ADD COLUMN importing_at INTEGER;
