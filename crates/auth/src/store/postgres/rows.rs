//! Keys and accounts as rows of PostgreSQL.

use bartizan_database::Values;
use sqlx::Row;
use sqlx::postgres::{PgArguments, PgRow};

use crate::account::Account;
use crate::record::KeyRecord;
use crate::store::StoreError;
use crate::store::row::{AccountRow, KeyRow};

/// As `insert.sql` and `replace.sql` number them.
pub(super) fn bind_key(record: &KeyRecord, version: u64) -> Result<PgArguments, StoreError> {
    let row = KeyRow::of(record).map_err(StoreError::unavailable)?;
    let values = Values::default()
        .with(row.key_id)?
        .with(row.digest)?
        .with(row.previous_digest)?
        .with(row.alias)?
        .with(row.team_id)?
        .with(row.user_id)?
        .with(row.organization_id)?
        .with(row.created_by)?
        .with(row.created_at)?
        .with(row.expires_at)?
        .with(row.rotates_at)?
        .with(row.blocked)?
        .with(row.revoked_at)?
        .with(row.updated_at)?
        .with(row.body)?
        .with(whole(version))?;
    Ok(values.done())
}

/// As `insert_account.sql` and `replace_account.sql` number them.
pub(super) fn bind_account(account: &Account, version: u64) -> Result<PgArguments, StoreError> {
    let row = AccountRow::of(account).map_err(StoreError::unavailable)?;
    let members: Vec<String> = account
        .members
        .iter()
        .map(|member| member.user_id.clone())
        .collect();
    let values = Values::default()
        .with(row.kind)?
        .with(row.id)?
        .with(row.alias)?
        .with(row.organization_id)?
        .with(row.blocked)?
        .with(row.created_at)?
        .with(row.updated_at)?
        .with(row.deleted_at)?
        .with(row.body)?
        .with(whole(version))?
        .with(members)?;
    Ok(values.done())
}

pub(super) fn key(row: &PgRow) -> Result<KeyRecord, StoreError> {
    let row = KeyRow {
        key_id: row.try_get("key_id")?,
        digest: row.try_get("digest")?,
        previous_digest: row.try_get("previous_digest")?,
        alias: row.try_get("alias")?,
        team_id: row.try_get("team_id")?,
        user_id: row.try_get("user_id")?,
        organization_id: row.try_get("organization_id")?,
        created_by: row.try_get("created_by")?,
        created_at: row.try_get("created_at")?,
        expires_at: row.try_get("expires_at")?,
        rotates_at: row.try_get("rotates_at")?,
        blocked: row.try_get("blocked")?,
        revoked_at: row.try_get("revoked_at")?,
        updated_at: row.try_get("updated_at")?,
        version: row.try_get("version")?,
        body: row.try_get("body")?,
    };
    row.record().map_err(StoreError::unavailable)
}

pub(super) fn account(row: &PgRow) -> Result<Account, StoreError> {
    let row = AccountRow {
        kind: row.try_get("kind")?,
        id: row.try_get("id")?,
        alias: row.try_get("alias")?,
        organization_id: row.try_get("organization_id")?,
        blocked: row.try_get("blocked")?,
        created_at: row.try_get("created_at")?,
        updated_at: row.try_get("updated_at")?,
        deleted_at: row.try_get("deleted_at")?,
        version: row.try_get("version")?,
        body: row.try_get("body")?,
    };
    row.account().map_err(StoreError::unavailable)
}

/// The account beside a key, where it names one that has a record.
pub(super) fn account_beside(row: &PgRow) -> Result<Option<Account>, StoreError> {
    let Some(kind) = row.try_get("account_kind")? else {
        return Ok(None);
    };
    let row = AccountRow {
        kind,
        id: row.try_get("account_id")?,
        alias: row.try_get("account_alias")?,
        organization_id: row.try_get("account_organization_id")?,
        blocked: row.try_get("account_blocked")?,
        created_at: row.try_get("account_created_at")?,
        updated_at: row.try_get("account_updated_at")?,
        deleted_at: row.try_get("account_deleted_at")?,
        version: row.try_get("account_version")?,
        body: row.try_get("account_body")?,
    };
    row.account().map(Some).map_err(StoreError::unavailable)
}

pub(super) fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
