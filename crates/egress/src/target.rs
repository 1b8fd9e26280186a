//! Where a request goes, and the credential that goes there and nowhere else.

use std::fmt;
use std::sync::Arc;

use bartizan_core::towards_provider;
use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use http::uri::PathAndQuery;
use http::{Method, Request, Uri, Version, request};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use secrecy::{ExposeSecret, SecretString};

#[cfg(feature = "aws")]
use crate::aws::{AwsCredentials, Signer};
use crate::client::Timeouts;
use crate::error::{Error, UrlFault};
#[cfg(feature = "google")]
use crate::google::ServiceAccount;
use crate::origin::{self, Origin};

/// RFC 3986's unreserved characters: the only ones that no server reads as more than themselves.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A deployment: its base URL, its credential, and what else each request to it carries.
///
/// The credential can't be read back, and [`Client`](crate::Client) puts it on a request only when that is about to leave
/// for this target's own origin: no field of a request body, no header and no redirect can carry it elsewhere.
///
/// ```
/// use bartizan_egress::Target;
/// # use http::Request;
/// # let secret: secrecy::SecretString = "sk-provider".into();
/// let target = Target::new("https://api.openai.com/v1")?.bearer(secret)?;
///
/// let (parts, body) = Request::post("/chat/completions?key=sk-caller").header("authorization", "Bearer sk-caller").body(())?.into_parts();
/// let request = target.request(parts, "/chat/completions", body)?;
/// assert_eq!(request.uri(), "https://api.openai.com/v1/chat/completions");
/// assert!(!request.headers().contains_key("authorization"), "the caller's is gone, and the target's comes last");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Target(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    origin: Origin,
    /// With a slash in front of each segment and none at the end.
    path: String,
    query: String,
    headers: HeaderMap,
    credential: Option<Credential>,
    timeouts: Option<Timeouts>,
}

#[derive(Clone)]
enum Credential {
    Header(Secret),
    #[cfg(feature = "aws")]
    Aws(Box<Signer>),
    #[cfg(feature = "google")]
    Google(ServiceAccount),
}

/// A secret that stands in a header of its own.
#[derive(Clone)]
struct Secret {
    name: HeaderName,
    scheme: &'static str,
    secret: SecretString,
}

impl Target {
    /// Creates a target from a base URL: an origin, and perhaps a path that goes in front of every request's.
    ///
    /// # Errors
    /// [`Error::Url`] as for [`Origin::of`], for a query or fragment, and for a path that climbs.
    pub fn new(base: &str) -> Result<Self, Error> {
        let uri = origin::read(base)?;
        if uri.query().is_some() {
            return Err(UrlFault::Query.into());
        }
        let path = uri.path().trim_end_matches('/').to_owned();
        descends(&path)?;
        let origin = Origin::of(&uri)?;
        Ok(Self(Arc::new(Inner {
            origin,
            path,
            query: String::new(),
            headers: HeaderMap::new(),
            credential: None,
            timeouts: None,
        })))
    }

    /// Sends `authorization: Bearer …`, as OpenAI and most others ask for; Bedrock too, with an API key of its own
    /// (`AWS_BEARER_TOKEN_BEDROCK`), and Vertex AI, with an access token that somebody else renews.
    ///
    /// # Errors
    /// [`Error::Credential`] when the secret can't stand in a header.
    pub fn bearer(self, secret: SecretString) -> Result<Self, Error> {
        self.secret(AUTHORIZATION, "Bearer ", secret)
    }

    /// Sends the secret in a header of its own: `x-api-key` (Anthropic), `api-key` (Azure), `x-goog-api-key` (Gemini).
    ///
    /// # Errors
    /// [`Error::Credential`] when the secret can't stand in a header.
    pub fn key_header(self, name: HeaderName, secret: SecretString) -> Result<Self, Error> {
        self.secret(name, "", secret)
    }

    /// Signs each request with an access key of Amazon's (SigV4), for Bedrock: service `bedrock`, whatever the host is called.
    ///
    /// ```
    /// use bartizan_egress::{AwsCredentials, Target, segment};
    ///
    /// # let secret: secrecy::SecretString = "aws-secret".into();
    /// let key = AwsCredentials::new("AKIDEXAMPLE", &secret)?;
    /// let target = Target::new("https://bedrock-runtime.eu-west-1.amazonaws.com")?.sigv4("eu-west-1", "bedrock", key)?;
    /// let path = format!("/model/{}/converse", segment("anthropic.claude-haiku-4-5-20251001-v1:0")?);
    /// # let _ = (target, path);
    /// # Ok::<(), bartizan_egress::Error>(())
    /// ```
    ///
    /// The body is read whole to be signed, up to the request's [`BodyLimit`](bartizan_core::BodyLimit). The time is the
    /// [`Client`](crate::Client)'s clock's; Amazon refuses one that is minutes off.
    ///
    /// # Errors
    /// [`Error::Unusable`] for a region or a service that is no such name.
    #[cfg(feature = "aws")]
    pub fn sigv4(
        self,
        region: &str,
        service: &str,
        credentials: AwsCredentials,
    ) -> Result<Self, Error> {
        let signer = Signer::new(region, service, credentials)?;
        Ok(self.with(Credential::Aws(Box::new(signer))))
    }

    /// Sends an access token of a Google service account, for Vertex AI. The token is had and renewed by the client, at the
    /// account's `token_uri`, which its policy has to allow; until it is, and when it can't be had, calls end with 503
    /// `credential_unavailable`.
    ///
    /// ```no_run
    /// use bartizan_egress::{Client, Policy, ServiceAccount, Target};
    ///
    /// # let file: secrecy::SecretString = String::new().into();
    /// let account = ServiceAccount::from_json(&file)?;
    /// let target = Target::new("https://europe-west4-aiplatform.googleapis.com/v1")?.service_account(account);
    /// let policy = Policy::closed()
    ///     .allow(target.origin().clone())
    ///     .allow("https://oauth2.googleapis.com".parse()?);
    /// let client = Client::builder(policy).build()?;
    /// # Ok::<(), bartizan_egress::Error>(())
    /// ```
    ///
    /// Tokens from a metadata server (`gcloud` on a machine of Google's) aren't had: metadata addresses are what egress is closed to.
    /// Give a token that something else renews as [`bearer`](Self::bearer), and replace the target with it.
    #[cfg(feature = "google")]
    #[must_use]
    pub fn service_account(self, account: ServiceAccount) -> Self {
        self.with(Credential::Google(account))
    }

    fn secret(
        self,
        name: HeaderName,
        scheme: &'static str,
        secret: SecretString,
    ) -> Result<Self, Error> {
        let secret = Secret {
            name,
            scheme,
            secret,
        };
        secret.value()?;
        Ok(self.with(Credential::Header(secret)))
    }

    fn with(mut self, credential: Credential) -> Self {
        Arc::make_mut(&mut self.0).credential = Some(credential);
        self
    }

    /// Sends a header with every request, in place of the caller's. Not for secrets.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        Arc::make_mut(&mut self.0).headers.insert(name, value);
        self
    }

    /// Sends a query parameter with every request, such as Azure's `api-version`. Not for secrets. A caller's own query
    /// string never passes.
    #[must_use]
    pub fn query(mut self, name: &str, value: &str) -> Self {
        let query = &mut Arc::make_mut(&mut self.0).query;
        let before = if query.is_empty() { '?' } else { '&' };
        query.push(before);
        query.extend(utf8_percent_encode(name, RESERVED));
        query.push('=');
        query.extend(utf8_percent_encode(value, RESERVED));
        self
    }

    /// Sets times for this target, in place of its client's, for the head, idle and total limits.
    #[must_use]
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        Arc::make_mut(&mut self.0).timeouts = Some(timeouts);
        self
    }

    /// Where it is.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.0.origin
    }

    /// Makes a caller's request one to this target: its method, its body, and those of its headers that
    /// [`towards_provider`] leaves; `path` behind the base URL's.
    ///
    /// # Errors
    /// [`Error::Url`] when `path` doesn't start with a slash, or climbs; see [`segment`] for names in a path.
    /// [`Error::Method`] for CONNECT and TRACE.
    pub fn request<B>(
        &self,
        parts: request::Parts,
        path: &str,
        body: B,
    ) -> Result<Request<B>, Error> {
        if matches!(parts.method, Method::CONNECT | Method::TRACE) {
            return Err(Error::Method);
        }
        descends(path)?;
        let whole = PathAndQuery::try_from(format!("{}{path}{}", self.0.path, self.0.query))
            .map_err(|_| UrlFault::Unreadable)?;
        let uri = Uri::builder()
            .scheme(self.0.origin.scheme())
            .authority(self.0.origin.authority()?)
            .path_and_query(whole)
            .build();
        let mut request = Request::from_parts(parts, body);
        *request.uri_mut() = uri.map_err(|_| UrlFault::Unreadable)?;
        *request.version_mut() = Version::HTTP_11;
        towards_provider(request.headers_mut());
        for (name, value) in &self.0.headers {
            request.headers_mut().insert(name, value.clone());
        }
        request.extensions_mut().insert(self.clone());
        Ok(request)
    }

    /// Sees to it that a request that is about to leave does so for this target, and puts the credential on it, if that is a header.
    pub(crate) fn authorize(&self, uri: &Uri, headers: &mut HeaderMap) -> Result<(), Error> {
        let leaving_for = Origin::of(uri)?;
        if leaving_for != self.0.origin {
            return Err(Error::NotAllowed(leaving_for.to_string()));
        }
        if let Some(Credential::Header(secret)) = &self.0.credential {
            headers.insert(secret.name.clone(), secret.value()?);
        }
        Ok(())
    }

    /// What signs requests that [`authorize`](Self::authorize) let through.
    #[cfg(feature = "aws")]
    pub(crate) fn signer(&self) -> Option<&Signer> {
        match &self.0.credential {
            Some(Credential::Aws(signer)) => Some(signer),
            _ => None,
        }
    }

    /// Whose token goes on requests that [`authorize`](Self::authorize) let through.
    #[cfg(feature = "google")]
    pub(crate) fn account(&self) -> Option<&ServiceAccount> {
        match &self.0.credential {
            Some(Credential::Google(account)) => Some(account),
            _ => None,
        }
    }

    pub(crate) fn own_timeouts(&self) -> Option<Timeouts> {
        self.0.timeouts
    }
}

/// Names where it goes, and neither credential nor headers.
impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target")
            .field("origin", &self.0.origin)
            .field("path", &self.0.path)
            .finish_non_exhaustive()
    }
}

impl Secret {
    fn value(&self) -> Result<HeaderValue, Error> {
        let text = SecretString::from(format!("{}{}", self.scheme, self.secret.expose_secret()));
        let visible = !self.secret.expose_secret().is_empty() && text.expose_secret().is_ascii();
        let mut value = visible
            .then(|| HeaderValue::from_str(text.expose_secret()).ok())
            .flatten()
            .ok_or(Error::Credential)?;
        value.set_sensitive(true);
        Ok(value)
    }
}

/// Encodes a name (a model, a deployment, an ARN) as one segment of a path.
///
/// ```
/// use bartizan_egress::segment;
///
/// assert_eq!(segment("org/model v1")?, "org%2Fmodel%20v1");
/// assert!(segment("..").is_err());
/// # Ok::<(), bartizan_egress::Error>(())
/// ```
///
/// # Errors
/// [`Error::Url`] for an empty name, and for one that climbs even when encoded (`.`, `..`, and those between slashes).
pub fn segment(name: &str) -> Result<String, Error> {
    let encoded = utf8_percent_encode(name, RESERVED).to_string();
    descends(&format!("/{encoded}"))?;
    Ok(encoded)
}

/// Sees to it that a path leads nowhere but down: servers and proxies disagree on what an empty segment, a dot or an encoded
/// slash means, and one of them reads it as another path than was checked.
fn descends(path: &str) -> Result<(), Error> {
    if path.is_empty() {
        return Ok(());
    }
    let segments = path.strip_prefix('/').ok_or(UrlFault::Unreadable)?;
    let fits = |segment: &str| {
        let decoded = percent_decode_str(segment).collect::<Vec<_>>();
        decoded
            .split(|byte| matches!(byte, b'/' | b'\\'))
            .all(|piece| !matches!(piece, b"" | b"." | b".."))
            && !segment.contains('\\')
            && !decoded.contains(&0)
    };
    if segments.contains(['?', '#']) {
        return Err(UrlFault::Query.into());
    }
    if segments.split('/').all(fits) {
        Ok(())
    } else {
        Err(UrlFault::Climbs.into())
    }
}

#[cfg(test)]
mod tests;
