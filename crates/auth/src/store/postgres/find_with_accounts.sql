SELECT
    keys.key_id, keys.digest, keys.previous_digest, keys.alias, keys.team_id, keys.user_id, keys.organization_id, keys.created_by,
    keys.created_at, keys.expires_at, keys.rotates_at, keys.blocked, keys.revoked_at, keys.updated_at, keys.version, keys.body::text AS body,
    its.kind AS account_kind, its.id AS account_id, its.alias AS account_alias, its.organization_id AS account_organization_id,
    its.blocked AS account_blocked, its.created_at AS account_created_at, its.updated_at AS account_updated_at,
    its.deleted_at AS account_deleted_at, its.version AS account_version, its.body::text AS account_body
FROM keys
LEFT JOIN LATERAL (
    SELECT accounts.*
    FROM (VALUES ('organization', keys.organization_id), ('team', keys.team_id), ('user', keys.user_id)) AS named (kind, id)
    JOIN accounts ON accounts.kind = named.kind AND accounts.id = named.id
) AS its ON true
WHERE keys.digest = $1 OR keys.previous_digest = $1
