SELECT
    accounts.kind, accounts.id, alias, organization_id, blocked, created_at, updated_at, deleted_at, version, body::text AS body
FROM accounts
JOIN unnest($1::text[], $2::text[]) AS wanted (kind, id) ON accounts.kind = wanted.kind AND accounts.id = wanted.id
