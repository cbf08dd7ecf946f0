-- What the first key of an invited user opens, and until when: nothing beyond the key by which somebody was invited.
ALTER TABLE invitations ADD COLUMN scopes TEXT NOT NULL DEFAULT '';
ALTER TABLE invitations ADD COLUMN key_until INTEGER;

-- How the link gets to whom it is for, when it was asked for last, and when the last mail with it was handed over.
ALTER TABLE invitations ADD COLUMN delivery TEXT NOT NULL DEFAULT 'LINK';
ALTER TABLE invitations ADD COLUMN asked_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE invitations ADD COLUMN mailed_at INTEGER;
