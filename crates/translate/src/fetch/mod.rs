//! Fetching what a request names by its address, for providers that take the data alone.
//!
//! An address in a request is a stranger's wish that this machine calls somebody. So nothing is fetched unless the embedder gives
//! [`FetchUrls`] to the layer, and then only from the hosts that it names. Who connects is the embedder's too: give it a client that checks
//! where a name leads, such as `bartizan-egress`'s, for a list of names alone stops no name that leads inside.
//!
//! ```
//! use bartizan_core::{Body, Refusal};
//! use bartizan_translate::{FetchUrls, TranslateLayer};
//! use http::{Request, Response};
//!
//! # #[derive(Clone, Debug)] struct Client;
//! # impl Client { async fn send(&self, _: Request<Body>) -> Result<Response<Body>, Refusal> { Ok(Response::new(Body::empty())) } }
//! # let client = Client;
//! let urls = FetchUrls::by(move |request: Request<Body>| {
//!     let client = client.clone();
//!     async move { client.send(request).await }
//! })
//! .host("images.example.com")?
//! .host("*.cdn.example.com")?
//! .max_bytes(5 * 1024 * 1024);
//! let layer = TranslateLayer::new().fetch_urls(urls);
//! # Ok::<(), bartizan_translate::Error>(())
//! ```
//!
//! # What is fetched
//!
//! | for | is fetched |
//! |---|---|
//! | Bedrock, Ollama | every image and file by an `https:` address, or the request is refused |
//! | OpenAI chat | files; images go by their address |
//! | Gemini of Google AI | images and files of the hosts named; others go by their address |
//! | all others | nothing, unless [`FetchUrls::always`] says so: their providers fetch themselves |
//!
//! A request whose caller and provider speak the same API passes as it is, addresses too.
//!
//! # What can't happen
//!
//! - *A redirect.* It is no file.
//! - *Something else than it seems.* What it is is told by its first bytes: PNG, JPEG, GIF, WebP; PDF; MP3, WAV, FLAC, Ogg; MP4, WebM. What
//!   the server says of it is not heard. SVG and HTML, which run, are none of these.
//! - *Too much.* Each file, all of them together, their number and the time for all have limits.
//! - *An oracle.* Whatever went wrong on the way is told by one and the same sentence.

mod hosts;
mod sniff;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bartizan_core::{Body, Dialect, Refusal, RefusalKind};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{Request, Response, StatusCode, Uri, header};
use tokio::time::timeout;

use self::hosts::Host;
use crate::dialects::To;
use crate::error::Error;
use crate::neutral::{Ask, Block, Names, Source, told};

/// The answer that is on its way.
pub type Fetching<'f> = Pin<Box<dyn Future<Output = Result<Response<Body>, Refusal>> + Send + 'f>>;

/// Sends the requests that fetch files. Functions from a request to a future of its answer do.
pub trait Fetch: Send + Sync + 'static {
    /// Sends `request`, a GET without credentials, and follows no redirect.
    fn fetch(&self, request: Request<Body>) -> Fetching<'_>;
}

impl<F, A> Fetch for F
where
    F: Fn(Request<Body>) -> A + Send + Sync + 'static,
    A: Future<Output = Result<Response<Body>, Refusal>> + Send + 'static,
{
    fn fetch(&self, request: Request<Body>) -> Fetching<'_> {
        Box::pin(self(request))
    }
}

/// Says what is fetched, by whom, and how much of it. The default fetches nothing: no host is named.
///
/// | setting | default |
/// |---|---|
/// | [`host`](Self::host) | none |
/// | [`max_bytes`](Self::max_bytes) | 10 MiB |
/// | [`max_total_bytes`](Self::max_total_bytes) | 20 MiB |
/// | [`max_files`](Self::max_files) | 16 |
/// | [`timeout`](Self::timeout) | 10 s |
/// | [`always`](Self::always) | no |
#[derive(Clone)]
#[must_use]
pub struct FetchUrls {
    by: Arc<dyn Fetch>,
    hosts: Vec<Host>,
    max_bytes: usize,
    max_total_bytes: usize,
    max_files: usize,
    timeout: Duration,
    always: bool,
}

impl FetchUrls {
    /// Creates the settings, with `fetch` to do it.
    pub fn by(fetch: impl Fetch) -> Self {
        Self {
            by: Arc::new(fetch),
            hosts: Vec::new(),
            max_bytes: 10 * 1024 * 1024,
            max_total_bytes: 20 * 1024 * 1024,
            max_files: 16,
            timeout: Duration::from_secs(10),
            always: false,
        }
    }

    /// Allows a host, by https: `images.example.com`, perhaps with `:port`; `*.example.com` allows all names that end so. `http://` in
    /// front allows it by http and not by https.
    ///
    /// # Errors
    ///
    /// [`Error::Host`] for what is none.
    pub fn host(mut self, host: &str) -> Result<Self, Error> {
        self.hosts.push(Host::read(host).ok_or(Error::Host)?);
        Ok(self)
    }

    /// Whether [`host`](Self::host) takes `host`.
    #[must_use]
    pub fn is_host(host: &str) -> bool {
        Host::read(host).is_some()
    }

    /// Sets how large one file may be, in bytes.
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// Sets how large all files of one request may be together, in bytes, each counted as often as the request names it.
    pub fn max_total_bytes(mut self, bytes: usize) -> Self {
        self.max_total_bytes = bytes;
        self
    }

    /// Sets how many addresses one request may name.
    pub fn max_files(mut self, files: usize) -> Self {
        self.max_files = files;
        self
    }

    /// Sets how long fetching all files of one request may take.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = limit;
        self
    }

    /// Sets whether files are fetched here for every provider that the request is translated for, so that no provider fetches any.
    pub fn always(mut self, always: bool) -> Self {
        self.always = always;
        self
    }

    /// Puts the data in the place of the addresses that the target is not to get. How many files, and how many bytes.
    pub(crate) async fn fill(&self, ask: &mut Ask<'_>, to: &To<'_>) -> Result<(u64, u64), Refusal> {
        let names = ask.names;
        let mut wanted = Vec::new();
        for turn in &mut ask.turns {
            let at = turn.at;
            collect(&mut turn.blocks, &mut |kind, source| {
                if self.is_fetched(kind, source, to) {
                    wanted.push(Wanted { at, kind, source });
                }
            });
        }
        if wanted.is_empty() {
            return Ok((0, 0));
        }
        if wanted.len() > self.max_files {
            let most = self.max_files;
            let says = format!("at most {most} addresses in one request");
            return Err(refused(names, None, "too_many_urls", &says));
        }
        let all = self.all(names, wanted);
        timeout(self.timeout, all)
            .await
            .unwrap_or_else(|_| Err(failed(names, None)))
    }

    async fn all(&self, names: Names, wanted: Vec<Wanted<'_, '_>>) -> Result<(u64, u64), Refusal> {
        let mut had: Vec<(String, File)> = Vec::new();
        let (mut count, mut total) = (0_u64, 0_usize);
        for Wanted { at, kind, source } in wanted {
            let Source::Url { url, .. } = &*source else {
                continue;
            };
            let url = url.clone().into_owned();
            let at = Some(at);
            let known = had.iter().find(|(known, _)| *known == url);
            let file = match known {
                Some((_, file)) => file.clone(),
                None => {
                    let left = self
                        .max_bytes
                        .min(self.max_total_bytes.saturating_sub(total));
                    let file = self.one(&url, left, names, at).await?;
                    had.push((url, file.clone()));
                    count += 1;
                    file
                }
            };
            total = total.saturating_add(file.bytes);
            if total > self.max_total_bytes {
                return Err(too_large(names, at));
            }
            if !kind.takes(file.media_type) {
                let says = "what lies there is not what this place is for, or of no type that is taken here: PNG, JPEG, GIF, WebP or PDF";
                return Err(refused(names, at, "url_of_other_type", says));
            }
            *source = Source::Base64 {
                media_type: file.media_type.into(),
                data: file.data.into(),
            };
        }
        Ok((count, u64::try_from(total).unwrap_or(u64::MAX)))
    }

    async fn one(
        &self,
        url: &str,
        left: usize,
        names: Names,
        at: Option<usize>,
    ) -> Result<File, Refusal> {
        let uri = url
            .parse::<Uri>()
            .ok()
            .filter(|uri| self.hosts.iter().any(|host| host.fits(uri)));
        let uri = uri.ok_or_else(|| {
            let says = "this host is not among those from which files are fetched: send the data itself, as a data: address";
            refused(names, at, "url_not_allowed", says)
        })?;
        let request = Request::get(uri)
            .header(
                header::ACCEPT,
                "image/png, image/jpeg, image/gif, image/webp, application/pdf, audio/*, video/*",
            )
            .header(header::ACCEPT_ENCODING, "identity")
            .header(header::USER_AGENT, "bartizan")
            .body(Body::empty())
            .map_err(|_| failed(names, at))?;
        let answer = self.by.fetch(request).await.map_err(|refusal| {
            tracing::debug!(code = refusal.code(), "not fetched");
            failed(names, at)
        })?;
        let plain = answer
            .headers()
            .get_all(header::CONTENT_ENCODING)
            .iter()
            .all(|encoding| encoding.as_bytes().eq_ignore_ascii_case(b"identity"));
        if answer.status() != StatusCode::OK || !plain {
            return Err(failed(names, at));
        }
        let says = answer.headers().get(header::CONTENT_LENGTH);
        let says = says.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
        if says.is_some_and(|length| length > left) {
            return Err(too_large(names, at));
        }
        let bytes = answer
            .into_body()
            .into_bytes(left)
            .await
            .map_err(|refusal| match refusal.kind() {
                RefusalKind::TooLarge => too_large(names, at),
                _ => failed(names, at),
            })?;
        Ok(File {
            media_type: sniff::media_type(&bytes).unwrap_or_default(),
            bytes: bytes.len(),
            data: STANDARD.encode(&bytes),
        })
    }

    /// Whether a source is to go as its data.
    fn is_fetched(&self, kind: Kind, source: &Source<'_>, to: &To<'_>) -> bool {
        let Source::Url { url, .. } = source else {
            return false;
        };
        let on_the_web = ["https://", "http://"].iter().any(|scheme| {
            url.get(..scheme.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
        });
        if !on_the_web {
            return false;
        }
        let allowed = || {
            let uri = url.parse::<Uri>();
            uri.is_ok_and(|uri| self.hosts.iter().any(|host| host.fits(&uri)))
        };
        match to.dialect {
            Dialect::BedrockConverse | Dialect::OllamaChat => true,
            Dialect::OpenAiChat if kind == Kind::Document => true,
            _ if self.always => true,
            Dialect::Gemini if !to.vertex => allowed(),
            _ => false,
        }
    }
}

/// Shows no one who fetches.
impl fmt::Debug for FetchUrls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FetchUrls")
            .field("hosts", &self.hosts)
            .field("max_bytes", &self.max_bytes)
            .field("max_total_bytes", &self.max_total_bytes)
            .field("max_files", &self.max_files)
            .field("timeout", &self.timeout)
            .field("always", &self.always)
            .finish_non_exhaustive()
    }
}

/// What the place in the request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Image,
    Document,
    Audio,
    Video,
}

impl Kind {
    fn takes(self, media_type: &str) -> bool {
        match self {
            Self::Image => media_type.starts_with("image/"),
            Self::Document => media_type == "application/pdf",
            Self::Audio => media_type.starts_with("audio/"),
            Self::Video => media_type.starts_with("video/"),
        }
    }
}

/// An address, and where in the request it stands.
struct Wanted<'w, 'a> {
    at: usize,
    kind: Kind,
    source: &'w mut Source<'a>,
}

#[derive(Clone)]
struct File {
    /// Empty where it is of no type that is known.
    media_type: &'static str,
    bytes: usize,
    /// Base64.
    data: String,
}

/// Calls `each` on every source in the blocks, results of tools included.
fn collect<'w, 'a>(blocks: &'w mut [Block<'a>], each: &mut dyn FnMut(Kind, &'w mut Source<'a>)) {
    for block in blocks {
        match block {
            Block::Image { source, .. } => each(Kind::Image, source),
            Block::Document { source, .. } => each(Kind::Document, source),
            Block::Audio { source } => each(Kind::Audio, source),
            Block::Video { source } => each(Kind::Video, source),
            Block::ToolResult { blocks, .. } => collect(blocks, each),
            _ => {}
        }
    }
}

/// One sentence for all: what a caller can't reach must not be told by how it fails.
fn failed(names: Names, at: Option<usize>) -> Refusal {
    let says = "this address can't be fetched: it must answer in time, with the file itself, and not lead elsewhere";
    refused(names, at, "url_not_fetched", says)
}

fn too_large(names: Names, at: Option<usize>) -> Refusal {
    refused(names, at, "url_too_large", "what lies there is too large")
}

fn refused(names: Names, at: Option<usize>, code: &'static str, says: &str) -> Refusal {
    let messages = told(names, "messages");
    let place = match at {
        Some(at) => format!("{messages}[{at}]"),
        None => messages.to_owned(),
    };
    Refusal::new(RefusalKind::BadRequest, code, format!("{place}: {says}")).param(place)
}
