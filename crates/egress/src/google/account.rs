//! A service account's file, and the assertions that its key signs.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bartizan_core::json::{Json, quote};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::HeaderValue;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject as _;
use secrecy::{ExposeSecret, SecretString};

use super::tokens::Tokens;
use crate::client::{Client, Timeouts};
use crate::error::{Error, TokenFault};
use crate::target::Target;

/// All of Google Cloud, within what the account's roles allow.
const CLOUD: &str = "https://www.googleapis.com/auth/cloud-platform";

/// How long an assertion holds: no longer is taken.
const HOLDS: Duration = Duration::from_secs(3_600);

/// How far another machine's clock may be behind.
const SKEW: Duration = Duration::from_secs(10);

/// A Google service account; for [`Target::service_account`]. Clones share their access token.
#[derive(Clone)]
pub struct ServiceAccount {
    account: Arc<Account>,
    tokens: Arc<Tokens>,
}

#[derive(Clone)]
pub(super) struct Account {
    email: String,
    key: Arc<RsaKeyPair>,
    key_id: Option<String>,
    token_uri: String,
    endpoint: Target,
    scope: String,
}

impl ServiceAccount {
    /// Reads the JSON file that Google Cloud gives out for a service account's key.
    ///
    /// Its `token_uri` is called only if the client's [`Policy`](crate::Policy) allows that origin: allow
    /// `https://oauth2.googleapis.com`, not whatever the file says. Files of other types (`external_account`,
    /// `authorized_user`) are refused, since they name commands to run and further URLs to call.
    ///
    /// # Errors
    /// [`Error::Unusable`] for a file that isn't such an account's; [`Error::Url`] for a `token_uri` that isn't a URL.
    pub fn from_json(text: &SecretString) -> Result<Self, Error> {
        let json = Json::read(text.expose_secret())
            .map_err(|_| Error::Unusable("the service account's file is no JSON"))?;
        let field = |name: &str| {
            let text = json.root().get(name)?.text()?.into_owned();
            (!text.is_empty()).then_some(text)
        };
        if field("type").as_deref() != Some("service_account") {
            return Err(Error::Unusable("the file's `type` isn't `service_account`"));
        }
        let email = field("client_email")
            .ok_or(Error::Unusable("the service account has no `client_email`"))?;
        let token_uri =
            field("token_uri").ok_or(Error::Unusable("the service account has no `token_uri`"))?;
        let pem = field("private_key")
            .map(SecretString::from)
            .ok_or(Error::Unusable("the service account has no `private_key`"))?;
        let key = PrivatePkcs8KeyDer::from_pem_slice(pem.expose_secret().as_bytes())
            .ok()
            .and_then(|der| RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).ok())
            .ok_or(Error::Unusable(
                "the service account's `private_key` is no RSA key in PEM form (PKCS 8)",
            ))?;
        let patience = Timeouts::default()
            .head(Duration::from_secs(10))
            .total(Duration::from_secs(15));
        let endpoint = Target::new(&token_uri)?.timeouts(patience);
        Ok(Self {
            account: Arc::new(Account {
                email,
                key: Arc::new(key),
                key_id: field("private_key_id"),
                token_uri,
                endpoint,
                scope: CLOUD.into(),
            }),
            tokens: Arc::default(),
        })
    }

    /// Asks for tokens of another scope than `https://www.googleapis.com/auth/cloud-platform`; several with spaces between them.
    #[must_use]
    pub fn scope(self, scope: &str) -> Self {
        let mut account = Arc::unwrap_or_clone(self.account);
        account.scope = scope.into();
        Self {
            account: Arc::new(account),
            // What was had so far is of the other scope.
            tokens: Arc::default(),
        }
    }

    /// The value of `authorization` that holds now.
    pub(crate) async fn bearer(&self, client: &Client) -> Result<HeaderValue, Error> {
        let fault = |fault: Arc<TokenFault>| Error::NoToken(fault);
        self.tokens
            .bearer(&self.account, client)
            .await
            .map_err(fault)
    }
}

impl Account {
    pub(super) fn endpoint(&self) -> &Target {
        &self.endpoint
    }

    /// What the endpoint is asked, as a form; `now` is since 1970.
    pub(super) fn form(&self, now: Duration) -> Result<String, TokenFault> {
        let issued = now.saturating_sub(SKEW);
        let expires = issued.saturating_add(HOLDS);
        let key_id = self.key_id.as_deref().map(quote);
        let key_id = key_id.map_or_else(String::new, |id| format!(",\"kid\":{id}"));
        let head = format!("{{\"alg\":\"RS256\",\"typ\":\"JWT\"{key_id}}}");
        let claims = format!(
            "{{\"iss\":{},\"scope\":{},\"aud\":{},\"iat\":{},\"exp\":{}}}",
            quote(&self.email),
            quote(&self.scope),
            quote(&self.token_uri),
            issued.as_secs(),
            expires.as_secs()
        );
        let mut assertion = URL_SAFE_NO_PAD.encode(head);
        assertion.push('.');
        URL_SAFE_NO_PAD.encode_string(claims, &mut assertion);

        let mut signature = vec![0; self.key.public().modulus_len()];
        self.key
            .sign(
                &RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                assertion.as_bytes(),
                &mut signature,
            )
            .map_err(|_| TokenFault::Unsigned)?;
        assertion.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut assertion);
        Ok(format!(
            "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion={assertion}"
        ))
    }
}

/// Names the account, and nothing of its key.
impl fmt::Debug for ServiceAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceAccount")
            .field("client_email", &self.account.email)
            .finish_non_exhaustive()
    }
}
