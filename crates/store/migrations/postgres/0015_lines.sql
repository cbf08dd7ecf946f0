-- Since when a line is out of service: its history stays. What its carrier lets it do, where the team has switched
-- something off (NULL: what it can do).
ALTER TABLE numbers ADD COLUMN removed_at BIGINT;
ALTER TABLE numbers ADD COLUMN offered TEXT COLLATE "C";
