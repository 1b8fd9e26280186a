//! A tower layer that knows who calls: master key and virtual keys.

mod cache;
mod digest;
mod error;
mod key;
mod keys;
mod master;
mod narrow;
mod period;
mod random;
mod record;
mod store;
mod strength;

pub use digest::{KeyDigest, Pepper};
pub use error::{ConfigError, Error};
pub use key::{KeyId, VirtualKey};
pub use keys::{Denied, KeyRequest, Keys, KeysBuilder, MintedKey};
pub use master::MasterKey;
pub use period::Period;
pub use record::{KeyRecord, Standing};
#[cfg(feature = "sqlite")]
pub use store::SqliteStore;
pub use store::{KeyQuery, KeyStore, KeyUpdate, MemoryStore, StoreError, Viewer};
