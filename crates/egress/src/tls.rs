//! TLS around the checked connector.

use std::fmt;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;
use tower_service::Service;

use crate::connect::Boxed;
use crate::error::{Error, Step, UrlFault};
use crate::origin::{Host, Origin};

/// The roots that a client trusts.
#[derive(Clone, Debug)]
pub(crate) struct Roots(RootCertStore);

impl Roots {
    /// Mozilla's.
    pub(crate) fn web() -> Self {
        Self(webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect())
    }

    pub(crate) fn none() -> Self {
        Self(RootCertStore::empty())
    }

    pub(crate) fn add_pem(&mut self, pem: &[u8]) -> Result<(), Error> {
        let mut count = 0;
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let added = certificate
                .map_err(|error| error.to_string())
                .and_then(|der| self.0.add(der).map_err(|error| error.to_string()));
            added.map_err(Error::Roots)?;
            count += 1;
        }
        if count == 0 {
            Err(Error::Roots("no certificate in PEM form is in it".into()))
        } else {
            Ok(())
        }
    }

    fn config(self) -> Result<ClientConfig, Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let versions =
            ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let mut config = versions
            .map_err(|error| Error::Roots(error.to_string()))?
            .with_root_certificates(self.0)
            .with_no_client_auth();
        if cfg!(feature = "http2") {
            config.alpn_protocols.push(b"h2".to_vec());
        }
        config.alpn_protocols.push(b"http/1.1".to_vec());
        Ok(config)
    }
}

/// A connector that speaks TLS to https origins over what `S` connects.
#[derive(Clone)]
pub(crate) struct Tls<S> {
    connector: S,
    config: tokio_rustls::TlsConnector,
    limit: Duration,
}

impl<S> Tls<S> {
    pub(crate) fn new(connector: S, roots: Roots, limit: Duration) -> Result<Self, Error> {
        Ok(Self {
            connector,
            config: Arc::new(roots.config()?).into(),
            limit,
        })
    }
}

impl<S> fmt::Debug for Tls<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

impl<S, T> Service<Uri> for Tls<S>
where
    S: Service<Uri, Response = T, Error = Error>,
    S::Future: Send + 'static,
    T: Read + Write + Unpin + Send + 'static,
{
    type Response = Stream<T>;
    type Error = Error;
    type Future = Boxed<Stream<T>, Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.connector.poll_ready(cx)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let origin = Origin::of(&uri);
        let connecting = self.connector.call(uri);
        let (config, limit) = (self.config.clone(), self.limit);
        Box::pin(async move {
            let origin = origin?;
            let connection = connecting.await?;
            if !origin.is_https() {
                return Ok(Stream::Plain(connection));
            }
            let name = server_name(&origin)?;
            let shaken = timeout(limit, config.connect(name, TokioIo::new(connection))).await;
            let stream = shaken
                .map_err(|_| Error::TimedOut(Step::Tls))?
                .map_err(|error| Error::Tls(Arc::new(error)))?;
            Ok(Stream::Tls(Box::new(TokioIo::new(stream))))
        })
    }
}

fn server_name(origin: &Origin) -> Result<ServerName<'static>, Error> {
    match origin.parsed_host() {
        Host::Address(address) => Ok(ServerName::from(*address)),
        Host::Name(name) => ServerName::try_from(name.clone()).map_err(|_| UrlFault::Host.into()),
    }
}

/// A connection with or without TLS.
pub(crate) enum Stream<T> {
    Plain(T),
    Tls(Box<TokioIo<TlsStream<TokioIo<T>>>>),
}

impl<T: Connection> Connection for Stream<T> {
    fn connected(&self) -> Connected {
        match self {
            Self::Plain(stream) => stream.connected(),
            Self::Tls(stream) => {
                let (below, tls) = stream.inner().get_ref();
                let connected = below.inner().connected();
                if tls.alpn_protocol() == Some(b"h2") {
                    connected.negotiated_h2()
                } else {
                    connected
                }
            }
        }
    }
}

impl<T: Read + Write + Unpin> Read for Stream<T> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl<T: Read + Write + Unpin> Write for Stream<T> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
            Self::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(stream) => stream.is_write_vectored(),
            Self::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
