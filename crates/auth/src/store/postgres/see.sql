INSERT INTO sightings (key_id, address, hour, country, first_seen, last_seen, uses)
SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[])
ON CONFLICT (key_id, address, hour) DO UPDATE SET
    country = coalesce(excluded.country, sightings.country),
    first_seen = least(sightings.first_seen, excluded.first_seen),
    last_seen = greatest(sightings.last_seen, excluded.last_seen),
    uses = least(sightings.uses::numeric + excluded.uses, 9223372036854775807)::bigint
