//! Accounts in a SQLite file.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, named_params};

use super::wrong;
use crate::account::{Account, AccountId};
use crate::store::AccountQuery;
use crate::store::row::AccountRow;

const GET: &str = "SELECT * FROM accounts WHERE kind = :kind AND id = :id";
pub(super) const INSERT: &str = include_str!("insert_account.sql");
pub(super) const REPLACE: &str = include_str!("replace_account.sql");
const LIST: &str = include_str!("list_accounts.sql");
const FORGET_MEMBERS: &str = "DELETE FROM members WHERE kind = :kind AND id = :id";
const ADD_MEMBER: &str =
    "INSERT OR IGNORE INTO members (kind, id, user_id) VALUES (:kind, :id, :user_id)";

pub(super) fn get(connection: &Connection, ids: &[AccountId]) -> rusqlite::Result<Vec<Account>> {
    let mut statement = connection.prepare_cached(GET)?;
    let mut found = Vec::with_capacity(ids.len());
    for id in ids {
        let bound = named_params! { ":kind": id.kind.as_str(), ":id": id.id };
        found.extend(statement.query_row(bound, read).optional()?);
    }
    Ok(found)
}

/// Inserts an account, or puts it over the one of that version. Gives whether there was one.
pub(super) fn write(
    connection: &mut Connection,
    statement: &str,
    account: &Account,
    version: u64,
) -> rusqlite::Result<bool> {
    let row = AccountRow::of(account).map_err(super::unwritable)?;
    let transaction = connection.transaction()?;
    let written = transaction
        .prepare_cached(statement)?
        .execute(named_params! {
            ":kind": row.kind,
            ":id": row.id,
            ":alias": row.alias,
            ":organization_id": row.organization_id,
            ":blocked": row.blocked,
            ":created_at": row.created_at,
            ":updated_at": row.updated_at,
            ":deleted_at": row.deleted_at,
            ":version": i64::try_from(version).unwrap_or(i64::MAX),
            ":body": row.body,
        })?;
    if written == 0 {
        return Ok(false);
    }
    members(&transaction, account)?;
    transaction.commit()?;
    Ok(true)
}

/// Beside the document, so that those of one user are found.
fn members(transaction: &Transaction<'_>, account: &Account) -> rusqlite::Result<()> {
    let (kind, id) = (account.id.kind.as_str(), &account.id.id);
    transaction
        .prepare_cached(FORGET_MEMBERS)?
        .execute(named_params! { ":kind": kind, ":id": id })?;
    let mut add = transaction.prepare_cached(ADD_MEMBER)?;
    for member in &account.members {
        add.execute(named_params! { ":kind": kind, ":id": id, ":user_id": member.user_id })?;
    }
    Ok(())
}

pub(super) fn list(
    connection: &Connection,
    query: &AccountQuery,
) -> rusqlite::Result<Vec<Account>> {
    let mut statement = connection.prepare_cached(LIST)?;
    let rows = statement.query_map(
        named_params! {
            ":kind": query.kind.as_str(),
            ":after": query.after.as_deref().unwrap_or(""),
            ":organization_id": query.organization_id,
            ":alias": query.alias,
            ":deleted": query.deleted,
            ":member": query.member,
            ":limit": i64::try_from(query.page()).unwrap_or(i64::MAX),
        },
        read,
    )?;
    rows.collect()
}

fn read(row: &Row<'_>) -> rusqlite::Result<Account> {
    let row = AccountRow {
        kind: row.get("kind")?,
        id: row.get("id")?,
        alias: row.get("alias")?,
        organization_id: row.get("organization_id")?,
        blocked: row.get("blocked")?,
        created_at: row.get("created_at")?,
        updated_at: row.get("updated_at")?,
        deleted_at: row.get("deleted_at")?,
        version: row.get("version")?,
        body: row.get("body")?,
    };
    row.account().map_err(wrong)
}
