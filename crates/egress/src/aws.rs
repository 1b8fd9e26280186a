//! Signing requests to Amazon's services, version 4.
//!
//! The signature covers the method, the path and query as they are sent, the host, every header that no proxy changes, and the body's
//! SHA-256. A service other than S3 reads the path encoded once more than it was sent, so a model's name that [`segment`](crate::segment)
//! put there (`%3A`, `%2F`) is signed as `%253A`, `%252F`.

use std::fmt;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use bartizan_core::Body;
use http::Request;
use http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest as _, Sha256};

use crate::error::Error;

/// What a proxy may change, or add to, on its way.
const UNSIGNED: [&str; 16] = [
    "accept-encoding",
    "cache-control",
    "connection",
    "content-length",
    "expect",
    "from",
    "keep-alive",
    "max-forwards",
    "pragma",
    "referer",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "x-amzn-trace-id",
];

/// Set by the signature, and by nothing else.
const OURS: [HeaderName; 4] = [
    AUTHORIZATION,
    HeaderName::from_static("x-amz-date"),
    HeaderName::from_static("x-amz-security-token"),
    HeaderName::from_static("x-amz-content-sha256"),
];

/// An access key of Amazon's, lasting or of a session; for [`Target::sigv4`](crate::Target::sigv4).
///
/// It holds still. Where a session's credentials are renewed, make a new [`Target`](crate::Target) of the new ones and put it in the old
/// one's place: a target is cheap, and calls under way keep theirs.
#[derive(Clone)]
pub struct AwsCredentials(Credentials);

impl AwsCredentials {
    /// Takes an access key.
    ///
    /// # Errors
    /// [`Error::Credential`] when a part is empty, or the id can't stand in a header.
    pub fn new(access_key_id: &str, secret_access_key: &SecretString) -> Result<Self, Error> {
        let secret = secret_access_key.expose_secret();
        if !is_word(access_key_id) || secret.is_empty() {
            return Err(Error::Credential);
        }
        Ok(Self(Credentials::new(
            access_key_id,
            secret,
            None,
            None,
            "bartizan",
        )))
    }

    /// Adds the token of a session, which temporary keys have.
    ///
    /// # Errors
    /// [`Error::Credential`] when it can't stand in a header.
    pub fn session_token(self, token: &SecretString) -> Result<Self, Error> {
        let token = token.expose_secret();
        if !is_word(token) {
            return Err(Error::Credential);
        }
        Ok(Self(Credentials::new(
            self.0.access_key_id(),
            self.0.secret_access_key(),
            Some(token.to_owned()),
            None,
            "bartizan",
        )))
    }
}

/// Shows nothing.
impl fmt::Debug for AwsCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AwsCredentials")
    }
}

/// Signs requests for one service in one region.
#[derive(Clone)]
pub(crate) struct Signer {
    region: String,
    service: String,
    credentials: AwsCredentials,
    path: PercentEncodingMode,
    digest: PayloadChecksumKind,
}

impl Signer {
    pub(crate) fn new(
        region: &str,
        service: &str,
        credentials: AwsCredentials,
    ) -> Result<Self, Error> {
        let fits = |name: &str| {
            !name.is_empty()
                && name
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        if !fits(region) {
            return Err(Error::Unusable("the region isn't one such as `us-east-1`"));
        }
        if !fits(service) {
            return Err(Error::Unusable("the service isn't one such as `bedrock`"));
        }
        // S3 alone reads the path as it is sent, and wants the body's digest in a header.
        let (path, digest) = if service == "s3" {
            (PercentEncodingMode::Single, PayloadChecksumKind::XAmzSha256)
        } else {
            (PercentEncodingMode::Double, PayloadChecksumKind::NoHeader)
        };
        Ok(Self {
            region: region.to_owned(),
            service: service.to_owned(),
            credentials,
            path,
            digest,
        })
    }

    /// Signs a request that is about to leave, at `now` since 1970. A body that still streams is read whole first, up to `limit` bytes:
    /// Bedrock takes no signature that leaves it out.
    pub(crate) async fn sign(
        &self,
        request: &mut Request<Body>,
        now: Duration,
        limit: usize,
    ) -> Result<(), Error> {
        let body = std::mem::take(request.body_mut());
        let body = body.into_bytes(limit).await.map_err(Error::Body)?;
        let digest = hex(&Sha256::digest(&body));
        *request.body_mut() = body.into();

        self.sign_head(request, digest, now)
    }

    fn sign_head(
        &self,
        request: &mut Request<Body>,
        digest: String,
        now: Duration,
    ) -> Result<(), Error> {
        for name in &OURS {
            request.headers_mut().remove(name);
        }
        let mut settings = SigningSettings::default();
        settings.percent_encoding_mode = self.path;
        settings.payload_checksum_kind = self.digest;
        if let PercentEncodingMode::Single = self.path {
            settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        }
        let time = SystemTime::UNIX_EPOCH
            .checked_add(now)
            .ok_or(Error::Unusable("the clock is beyond all dates"))?;
        let identity = self.credentials.0.clone().into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(&self.service)
            .time(time)
            .settings(settings)
            .build()
            .map_err(|_| UNSIGNABLE)?
            .into();
        let signed = request
            .headers()
            .iter()
            .filter(|(name, _)| !UNSIGNED.contains(&name.as_str()))
            .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        // The digest and not the body: what signs it may log what it is given.
        let body = SignableBody::Precomputed(digest);
        let (method, uri) = (request.method().as_str(), request.uri().to_string());
        let signable = SignableRequest::new(method, uri, signed, body).map_err(|_| UNSIGNABLE)?;
        let (instructions, _) = sign(signable, &params)
            .map_err(|_| UNSIGNABLE)?
            .into_parts();
        let (added, _) = instructions.into_parts();
        for header in added {
            let mut value = HeaderValue::from_str(header.value()).map_err(|_| Error::Credential)?;
            value.set_sensitive(header.sensitive() || header.name() == AUTHORIZATION);
            request.headers_mut().insert(header.name(), value);
        }
        Ok(())
    }
}

const UNSIGNABLE: Error = Error::Unusable("the request can't be signed");

/// Whether a text is of visible ASCII, and not empty.
fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic())
}

fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests;
