//! Connections to SQLite and PostgreSQL, as Bartizan's layers share them.
//!
//! It knows no table: who has tables brings their statements, and the steps that make one version of them of the one before. With the feature
//! `sqlite`, [`sqlite`] opens files; with `postgres`, [`Pool`] keeps connections to a server that [`PostgresSettings`] tells of.

mod error;
#[cfg(feature = "postgres")]
mod migrate;
#[cfg(feature = "postgres")]
mod pool;
#[cfg(feature = "postgres")]
mod settings;
#[cfg(feature = "sqlite")]
pub mod sqlite;
#[cfg(feature = "postgres")]
mod values;
#[cfg(feature = "sqlite")]
mod worker;

pub use error::{Error, UrlError};
#[cfg(feature = "postgres")]
pub use migrate::Migrations;
#[cfg(feature = "postgres")]
pub use pool::Pool;
#[cfg(feature = "postgres")]
pub use settings::PostgresSettings;
#[cfg(feature = "postgres")]
pub use values::Values;
