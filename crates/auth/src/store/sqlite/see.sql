INSERT INTO sightings (key_id, address, hour, country, first_seen, last_seen, uses)
VALUES (:key_id, :address, :hour, :country, :first_seen, :last_seen, :uses)
ON CONFLICT (key_id, address, hour) DO UPDATE SET
    country = coalesce(excluded.country, country),
    first_seen = min(first_seen, excluded.first_seen),
    last_seen = max(last_seen, excluded.last_seen),
    uses = min(uses, 9223372036854775807 - excluded.uses) + excluded.uses
