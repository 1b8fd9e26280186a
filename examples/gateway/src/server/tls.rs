//! TLS towards callers.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use crate::config::TlsFiles;

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
}

/// Reads certificate chain and key.
pub(crate) fn acceptor(files: &TlsFiles) -> Result<TlsAcceptor, TlsError> {
    let pem = |word, what| {
        move |path: &Path| TlsError::Pem {
            word,
            path: path.display().to_string(),
            what,
        }
    };
    let (no_chain, no_key) = (pem("cert", "certificate"), pem("key", "private key"));
    let text = read("cert", &files.cert)?;
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&text)
        .collect::<Result<_, _>>()
        .map_err(|_| no_chain(&files.cert))?;
    if chain.is_empty() {
        return Err(no_chain(&files.cert));
    }
    let key =
        PrivateKeyDer::from_pem_slice(&read("key", &files.key)?).map_err(|_| no_key(&files.key))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config).into())
}

fn read(word: &'static str, path: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|source| TlsError::File {
        word,
        path: path.display().to_string(),
        source,
    })
}
