//! TLS towards callers, by files that are read again when they change.

use std::fs;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, VerifierBuilderError, WebPkiClientVerifier};
use rustls::{RootCertStore, ServerConfig};
use secrecy::{ExposeSecret as _, SecretSlice};
use sha2::{Digest as _, Sha256};
use tokio_rustls::TlsAcceptor;

use crate::config::{ClientTls, TlsFiles};

/// How long a certificate that was replaced goes on being shown, at most.
const LOOK: Duration = Duration::from_secs(5);

/// Why TLS can't be spoken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsError {
    #[error("bartizan.tls.{word}: {path} can't be read: {source}")]
    File {
        word: &'static str,
        path: String,
        source: std::io::Error,
    },
    #[error("bartizan.tls.{word}: {path} holds no {what} in PEM form")]
    Pem {
        word: &'static str,
        path: String,
        what: &'static str,
    },
    #[error("bartizan.tls: certificate and key can't be used: {0}")]
    Pair(#[from] rustls::Error),
    #[error("bartizan.tls.client_ca: the authorities can't be used: {0}")]
    Authorities(#[from] VerifierBuilderError),
}

/// TLS by what the files held when they were last sound. Clones are one.
#[derive(Clone)]
pub(crate) struct Tls {
    files: Arc<TlsFiles>,
    /// What the files held when they were opened.
    opened: [u8; 32],
    current: Arc<RwLock<TlsAcceptor>>,
}

/// What lies in the files.
struct Read {
    cert: Vec<u8>,
    key: SecretSlice<u8>,
    clients: Option<Vec<u8>>,
    revoked: Option<Vec<u8>>,
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// What is wrong with which of them.
    pub(crate) fn open(files: &TlsFiles) -> Result<Self, TlsError> {
        let read = Read::from(files)?;
        Ok(Self {
            files: Arc::new(files.clone()),
            opened: read.digest(),
            current: Arc::new(RwLock::new(read.acceptor(files)?)),
        })
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        let current = self.current.read();
        current.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the files again whenever they change. Where they are not sound, the last that were go on. Never ends.
    pub(crate) async fn keep_fresh(self) {
        let mut known = self.opened;
        let mut is_away = false;
        loop {
            let (files, before) = (Arc::clone(&self.files), known);
            let look = move || -> Result<_, TlsError> {
                let read = Read::from(&files)?;
                let digest = read.digest();
                if before == digest {
                    return Ok((digest, None));
                }
                Ok((digest, Some(read.acceptor(&files))))
            };
            match tokio::task::spawn_blocking(look).await {
                Ok(Ok((digest, found))) => {
                    (known, is_away) = (digest, false);
                    match found {
                        None => {}
                        Some(Ok(acceptor)) => {
                            let current = self.current.write();
                            *current.unwrap_or_else(PoisonError::into_inner) = acceptor;
                            tracing::info!("the certificate was read again");
                        }
                        Some(Err(error)) => tracing::error!(
                            %error,
                            "the certificate has changed and can't be used: the one of before goes on"
                        ),
                    }
                }
                // While files are being replaced, one may be away for a moment. One that stays away is told once.
                Ok(Err(_)) if is_away => {}
                Ok(Err(error)) => {
                    is_away = true;
                    tracing::warn!(%error, "the certificate can't be looked at: the one of before goes on");
                }
                Err(error) => tracing::error!(%error, "the certificate can't be looked at"),
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

impl Read {
    fn from(files: &TlsFiles) -> Result<Self, TlsError> {
        Ok(Self {
            cert: read("cert", &files.cert)?,
            key: read("key", &files.key)?.into(),
            clients: match &files.clients {
                Some(clients) => Some(read("client_ca", &clients.ca)?),
                None => None,
            },
            revoked: match files
                .clients
                .as_ref()
                .and_then(|clients| clients.crl.as_ref())
            {
                Some(crl) => Some(read("client_crl", crl)?),
                None => None,
            },
        })
    }

    /// By which it is known again, without the key being kept.
    fn digest(&self) -> [u8; 32] {
        let mut digest = Sha256::new();
        let clients = self.clients.as_deref().unwrap_or_default();
        let revoked = self.revoked.as_deref().unwrap_or_default();
        for part in [&*self.cert, self.key.expose_secret(), clients, revoked] {
            digest.update(part.len().to_be_bytes());
            digest.update(part);
        }
        digest.finalize().into()
    }

    fn acceptor(&self, files: &TlsFiles) -> Result<TlsAcceptor, TlsError> {
        let chain = certificates("cert", &files.cert, &self.cert)?;
        let key =
            PrivateKeyDer::from_pem_slice(self.key.expose_secret()).map_err(|_| TlsError::Pem {
                word: "key",
                path: files.key.display().to_string(),
                what: "private key",
            })?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()?;
        let asks = files.clients.as_ref().zip(self.clients.as_ref());
        let builder = match asks {
            Some((clients, text)) => builder.with_client_cert_verifier(verifier(
                clients,
                text,
                self.revoked.as_deref(),
                provider,
            )?),
            None => builder.with_no_client_auth(),
        };
        let mut config = builder.with_single_cert(chain, key)?;
        if asks.is_some() {
            // A session that is resumed brings the certificate of its first handshake, without asking whether it still holds.
            config.session_storage = Arc::new(NoServerSessionStorage {});
            config.send_tls13_tickets = 0;
        }
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Arc::new(config).into())
    }
}

fn verifier(
    clients: &ClientTls,
    text: &[u8],
    revoked: Option<&[u8]>,
    provider: Arc<rustls::crypto::CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let mut roots = RootCertStore::empty();
    for authority in certificates("client_ca", &clients.ca, text)? {
        roots.add(authority)?;
    }
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
    let builder = match clients.crl.as_ref().zip(revoked) {
        // What no list tells of, and what only a list tells of whose time is over, is refused: either may have been revoked.
        Some((path, text)) => builder
            .with_crls(lists(path, text)?)
            .enforce_revocation_expiration(),
        None => builder,
    };
    let builder = if clients.required {
        builder
    } else {
        builder.allow_unauthenticated()
    };
    Ok(builder.build()?)
}

fn lists(path: &Path, text: &[u8]) -> Result<Vec<CertificateRevocationListDer<'static>>, TlsError> {
    let read: Result<Vec<_>, _> = CertificateRevocationListDer::pem_slice_iter(text).collect();
    match read {
        Ok(read) if !read.is_empty() => Ok(read),
        _ => Err(TlsError::Pem {
            word: "client_crl",
            path: path.display().to_string(),
            what: "list of revoked certificates",
        }),
    }
}

fn certificates(
    word: &'static str,
    path: &Path,
    text: &[u8],
) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
    match read {
        Ok(read) if !read.is_empty() => Ok(read),
        _ => Err(TlsError::Pem {
            word,
            path: path.display().to_string(),
            what: "certificate",
        }),
    }
}

fn read(word: &'static str, path: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|source| TlsError::File {
        word,
        path: path.display().to_string(),
        source,
    })
}
