//! A request on its way in.

use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, TRANSFER_ENCODING};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Request, Uri};

use crate::body::Body;
use crate::dialect::{Dialect, Direction};
use crate::document::Document;
use crate::principal::Principal;
use crate::refusal::{Refusal, RefusalKind};
use crate::trail::{Note, Trail};

/// How large a body that some layer looks into may be. Put it into a request's extensions to change it for that request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyLimit {
    /// The request's body, in bytes; over it 413. 10 MiB unless told.
    pub request: usize,
    /// The unstreamed answer's body, in bytes; over it 502. 10 MiB unless told.
    pub reply: usize,
}

impl Default for BodyLimit {
    fn default() -> Self {
        Self {
            request: 10 * 1024 * 1024,
            reply: 10 * 1024 * 1024,
        }
    }
}

/// A request on its way in: its head, and its body, which is read once and only if somebody asks.
#[derive(Debug)]
pub struct Call {
    parts: Parts,
    body: Body,
    dialect: Dialect,
}

impl Call {
    pub(crate) fn new(request: Request<Body>) -> Self {
        let (parts, body) = request.into_parts();
        let dialect = Dialect::of(&parts);
        Self {
            parts,
            body,
            dialect,
        }
    }

    /// The request's head.
    #[must_use]
    pub fn parts(&self) -> &Parts {
        &self.parts
    }

    /// The request's head, to change. What layers tell each other lies in its extensions.
    pub fn parts_mut(&mut self) -> &mut Parts {
        &mut self.parts
    }

    /// The API that the request speaks.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Says which API the request speaks, for this layer and all inside it.
    pub fn set_dialect(&mut self, dialect: Dialect) {
        self.dialect = dialect;
        self.parts.extensions.insert(dialect);
    }

    /// Who calls, once a layer has verified it.
    #[must_use]
    pub fn principal(&self) -> Option<&Principal> {
        self.parts.extensions.get()
    }

    /// The record of this call, where one is kept.
    #[must_use]
    pub fn trail(&self) -> Option<&Trail> {
        self.parts.extensions.get()
    }

    /// Appends `note` to the record, where one is kept.
    pub fn note(&self, note: Note) {
        if let Some(trail) = self.trail() {
            trail.note(note);
        }
    }

    /// The request's message, collected and scanned the first time, handed on afterwards.
    ///
    /// `None` where there is none to read: gRPC, a path that no dialect knows, or a method without a body.
    ///
    /// # Errors
    ///
    /// 400 for what is no strict JSON message, 413 over the [`BodyLimit`], 415 for a `content-encoding`.
    pub async fn document(&mut self) -> Result<Option<&mut Document>, Refusal> {
        if !self.dialect.has_document()
            || matches!(
                self.parts.method,
                Method::GET | Method::HEAD | Method::OPTIONS
            )
        {
            return Ok(None);
        }
        if is_encoded(&self.parts.headers) {
            return Err(Refusal::new(
                RefusalKind::UnsupportedMedia,
                "unsupported_content_encoding",
                "a compressed request body is not taken: send it without content-encoding",
            ));
        }
        let limit = self
            .parts
            .extensions
            .get::<BodyLimit>()
            .copied()
            .unwrap_or_default()
            .request;
        if let Some(length) = self
            .parts
            .headers
            .get(CONTENT_LENGTH)
            .and_then(|length| length.to_str().ok()?.parse::<usize>().ok())
            && length > limit
        {
            return Err(too_large(limit));
        }
        let document = self
            .body
            .document(limit, self.dialect, Direction::Request, || too_large(limit))
            .await?;
        if let Some((model, stream)) = self.dialect.in_path(self.parts.uri.path()) {
            document.say_by_path(model, stream);
        }
        Ok(Some(document))
    }

    /// Names another model than the caller did, where the API has it: in the message, or in the path. `false` where there is none to name, or it
    /// can't be done; the request is then unchanged.
    ///
    /// # Errors
    ///
    /// As [`document`](Self::document).
    pub async fn set_model(&mut self, model: &str) -> Result<bool, Refusal> {
        let path = self.parts.uri.path();
        if self.dialect.in_path(path).is_none() {
            let document = self.document().await?;
            return Ok(document.is_some_and(|document| document.set_model(model)));
        }
        let Some(mut path) = self.dialect.with_model(path, model) else {
            return Ok(false);
        };
        if let Some(query) = self.parts.uri.query() {
            path.push('?');
            path.push_str(query);
        }
        let Ok(path) = path.parse() else {
            return Ok(false);
        };
        let mut parts = self.parts.uri.clone().into_parts();
        parts.path_and_query = Some(path);
        match Uri::from_parts(parts) {
            Ok(uri) => self.parts.uri = uri,
            Err(_) => return Ok(false),
        }
        Ok(true)
    }

    /// Puts `document` in the place of the body.
    pub fn set_document(&mut self, document: Document) {
        self.set_dialect(document.dialect());
        self.body = Body::from(document);
    }

    /// The body.
    pub fn body_mut(&mut self) -> &mut Body {
        &mut self.body
    }

    pub(crate) fn into_request(mut self) -> Request<Body> {
        fix_length(&mut self.parts.headers, &self.body);
        Request::from_parts(self.parts, self.body)
    }
}

/// Makes `content-length` true again for a body that is held whole.
pub(crate) fn fix_length(headers: &mut HeaderMap, body: &Body) {
    if let Some(length) = body.held() {
        if let Some(header) = headers.get_mut(CONTENT_LENGTH) {
            *header = HeaderValue::from(length);
        }
        headers.remove(TRANSFER_ENCODING);
    }
}

pub(crate) fn is_encoded(headers: &HeaderMap) -> bool {
    headers.get_all(CONTENT_ENCODING).iter().any(|encoding| {
        !encoding.as_bytes().eq_ignore_ascii_case(b"identity") && !encoding.is_empty()
    })
}

fn too_large(limit: usize) -> Refusal {
    Refusal::new(
        RefusalKind::TooLarge,
        "request_too_large",
        format!("the request body is over {limit} bytes"),
    )
}
