//! SQLite files: in write-ahead mode, for their owner alone, each change on disk before it is answered.

use std::fs::OpenOptions;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, TransactionBehavior};

use crate::Error;

pub use crate::worker::Worker;

/// Opens the file, or creates it readable by its owner alone (mode 0600 on Unix), and brings its tables to the version that `steps` lead to, each
/// the SQL that makes a version of the one before; SQLite's `user_version` counts them. Blocks while it does.
///
/// # Errors
/// [`Error::Unavailable`] when the file can't be opened or is no database, [`Error::Migration`] when a step fails or a newer program was there.
pub fn open(path: &Path, steps: &[&str]) -> Result<Connection, Error> {
    restrict(path).map_err(Error::unavailable)?;
    let mut connection = connect(path)?;
    migrate(&mut connection, steps)?;
    Ok(connection)
}

/// Opens a file that is there, to look at only.
///
/// # Errors
/// [`Error::Unavailable`] when it can't be opened.
pub fn open_to_read(path: &Path) -> Result<Connection, Error> {
    let connection = connect(path)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

/// Creates the file for its owner alone, and takes an existing one away from everybody else. SQLite gives its side files the same mode.
fn restrict(path: &Path) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    drop(file);
    Ok(())
}

fn connect(path: &Path) -> Result<Connection, Error> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(Duration::from_secs(1))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "secure_delete", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    Ok(connection)
}

fn migrate(connection: &mut Connection, steps: &[&str]) -> Result<(), Error> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let known = steps.len();
    let made = usize::try_from(version).ok().filter(|made| *made <= known);
    let Some(made) = made else {
        return Err(Error::Migration(format!(
            "they were brought to version {version} by a newer program, and this one knows {known} at most: run the newer one"
        )));
    };
    for (number, step) in (1..).zip(steps).skip(made) {
        transaction
            .execute_batch(step)
            .map_err(|error| Error::Migration(format!("migration {number} failed: {error}")))?;
    }
    let version = i64::try_from(known).unwrap_or(i64::MAX);
    transaction.pragma_update(None, "user_version", version)?;
    Ok(transaction.commit()?)
}
