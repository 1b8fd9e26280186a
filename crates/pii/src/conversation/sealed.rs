//! A vault as a store keeps it.

use std::fmt;

use aes_gcm_siv::aead::{Aead, KeyInit as _, Payload};
use aes_gcm_siv::{Aes256GcmSiv, Nonce};
use secrecy::zeroize::Zeroizing;

use super::StoreError;
use crate::{ConfigError, Vault};

const NONCE: usize = 12;

/// An encrypted vault and its version, which counts up from one. Overwritten with zeros when it is dropped.
#[derive(Clone)]
pub struct Sealed {
    version: u64,
    bytes: Zeroizing<Vec<u8>>,
}

impl Sealed {
    /// Takes back what a store kept.
    #[must_use]
    pub fn new(version: u64, bytes: Vec<u8>) -> Self {
        Self {
            version,
            bytes: Zeroizing::new(bytes),
        }
    }

    /// Which version of the vault it is.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The bytes to keep.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How many bytes they are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there are none, which no vault has.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealed")
            .field("version", &self.version)
            .field("bytes", &self.bytes.len())
            .finish()
    }
}

/// What closes and opens the vault of one conversation.
pub(crate) struct Seal(Aes256GcmSiv);

impl Seal {
    pub(super) fn new(key: &[u8; 32]) -> Result<Self, ConfigError> {
        Aes256GcmSiv::new_from_slice(key)
            .map(Self)
            .map_err(|_| ConfigError::ShortKey { least: key.len() })
    }

    pub(crate) fn close(&self, vault: &Vault, version: u64) -> Result<Sealed, StoreError> {
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce).map_err(|_| StoreError)?;
        let written = vault.write();
        let payload = Payload {
            msg: &written,
            aad: &version.to_be_bytes(),
        };
        let closed = self
            .0
            .encrypt(&Nonce::from(nonce), payload)
            .map_err(|_| StoreError)?;
        Ok(Sealed::new(version, [nonce.as_slice(), &closed].concat()))
    }

    pub(crate) fn open(&self, sealed: &Sealed) -> Result<Vault, StoreError> {
        let (nonce, closed) = sealed
            .as_bytes()
            .split_first_chunk::<NONCE>()
            .ok_or(StoreError)?;
        let payload = Payload {
            msg: closed,
            aad: &sealed.version.to_be_bytes(),
        };
        let opened = self
            .0
            .decrypt(&Nonce::from(*nonce), payload)
            .map_err(|_| StoreError)?;
        Vault::read(&Zeroizing::new(opened)).ok_or(StoreError)
    }
}
