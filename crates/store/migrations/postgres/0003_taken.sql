-- When it was first known that the carrier had taken a text, which was told then: a failure may be known before.
ALTER TABLE messages ADD COLUMN taken_at BIGINT;
UPDATE messages
   SET taken_at = (SELECT i.at FROM items i WHERE i.team_id = messages.team_id AND i.seq = messages.seq)
 WHERE status = 'FAILED' AND carrier_ref IS NOT NULL;
