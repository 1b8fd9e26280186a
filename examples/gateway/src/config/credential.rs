//! With whose key a provider is called.

use std::fs;

use bartizan::core::json::Json;
use bartizan::egress::{AwsCredentials, Error, ServiceAccount, Target};
use bartizan::translate::catalogue::{Auth, Provider};
use http::HeaderName;
use secrecy::{ExposeSecret as _, SecretString};

use super::field::Field;
use super::read::Section;

/// What a provider is shown. Shows nothing of itself.
#[derive(Clone, Debug)]
pub(crate) enum Credential {
    /// Nothing.
    None,
    /// A key, where the provider wants its keys.
    Key(SecretString),
    /// A token of somebody who gives them out for many services.
    Token(SecretString),
    /// An access key of Amazon's, which signs.
    Aws { region: String, key: AwsCredentials },
    /// A service account of Google's, whose tokens are had when they are needed.
    Google(Box<ServiceAccount>),
}

impl Credential {
    /// Puts it where the endpoint wants it.
    pub(super) fn onto(&self, target: Target, auth: &Auth) -> Result<Target, Error> {
        match (self, auth) {
            (Self::None, _) | (_, Auth::None) => Ok(target),
            (Self::Aws { region, key }, Auth::SigV4(service)) => {
                target.sigv4(region, service, key.clone())
            }
            (Self::Google(account), _) => Ok(target.service_account((**account).clone())),
            (Self::Key(key), Auth::Header(name)) => target.key_header(name.clone(), key.clone()),
            (Self::Key(key), Auth::Azure) => {
                target.key_header(HeaderName::from_static("api-key"), key.clone())
            }
            (Self::Key(secret) | Self::Token(secret), _) => target.bearer(secret.clone()),
            (Self::Aws { .. }, _) => Err(Error::Unusable(
                "an access key of Amazon's signs for Amazon alone",
            )),
        }
    }

    /// Whether tokens are had from Google.
    pub(crate) fn asks_google(&self) -> bool {
        matches!(self, Self::Google(_))
    }
}

/// The parameters of a deployment that say with whose key.
pub(super) struct Told<'a> {
    key: Option<Field<'a>>,
    token: Option<Field<'a>>,
    aws_id: Option<Field<'a>>,
    aws_secret: Option<Field<'a>>,
    aws_session: Option<Field<'a>>,
    google: Option<Field<'a>>,
}

impl<'a> Told<'a> {
    pub(super) fn take(params: &mut Section<'a>) -> Self {
        Self {
            key: params.take("api_key"),
            token: params.take("azure_ad_token"),
            aws_id: params.take("aws_access_key_id"),
            aws_secret: params.take("aws_secret_access_key"),
            aws_session: params.take("aws_session_token"),
            google: params.take("vertex_credentials"),
        }
    }

    /// A service account's key, if it is told.
    pub(super) fn account(&self) -> Option<Field<'a>> {
        self.google.clone()
    }

    /// The credential that is meant. What belongs to another provider is told.
    ///
    /// `own_address` says whether calls go to the provider's own address: the environment's key goes nowhere else.
    pub(super) fn credential(
        self,
        provider: &Provider,
        region: Option<&str>,
        own_address: bool,
        params: &Section<'_>,
    ) -> Option<Credential> {
        let auth = provider.auth();
        let Self {
            key,
            token,
            aws_id,
            aws_secret,
            aws_session,
            google,
        } = self;
        let (of_aws, of_azure, of_google) = match auth {
            Auth::SigV4(_) => (true, false, false),
            Auth::Azure => (false, true, false),
            Auth::Google => (false, false, true),
            _ => (false, false, false),
        };
        let told = [
            (of_aws, &aws_id),
            (of_aws, &aws_secret),
            (of_aws, &aws_session),
            (of_azure, &token),
            (of_google, &google),
        ];
        let strangers = told
            .into_iter()
            .filter(|(ours, field)| !ours && field.is_some());
        let mut strange = false;
        for field in strangers.filter_map(|(_, field)| field.as_ref()) {
            field.fail(format!(
                "`{}` is not called with this: remove it",
                provider.slug()
            ));
            strange = true;
        }
        if strange {
            return None;
        }
        if let Some(field) = token {
            return field.secret().map(Credential::Token);
        }
        if let Some(field) = key {
            return field.secret().map(Credential::Key);
        }
        match auth {
            Auth::SigV4(_) => amazon(provider, (aws_id, aws_secret, aws_session), region, params),
            Auth::Google => google_account(provider, google, params),
            _ => from_environment(provider, own_address, params),
        }
    }
}

fn from_environment(
    provider: &Provider,
    own_address: bool,
    params: &Section<'_>,
) -> Option<Credential> {
    // The key of the environment belongs to the provider's own address, not to whatever the file names.
    if !own_address || *provider.auth() == Auth::None {
        return Some(Credential::None);
    }
    let variables = provider.key_variables();
    if let Some(secret) = variables.iter().find_map(|name| params.env(name)) {
        return Some(Credential::Key(secret));
    }
    if !provider.auth().is_needed() {
        return Some(Credential::None);
    }
    params.fail(format!(
        "`api_key` is missing, and {} is not set",
        variables.join(" or ")
    ));
    None
}

type AccessKey<'a> = (Option<Field<'a>>, Option<Field<'a>>, Option<Field<'a>>);

/// An access key of the file, else an API key of the environment, else an access key of the environment.
fn amazon(
    provider: &Provider,
    (id, secret, session): AccessKey<'_>,
    region: Option<&str>,
    params: &Section<'_>,
) -> Option<Credential> {
    let (id, secret, session) = match (id, secret) {
        (Some(id), Some(secret)) => {
            let session = match session {
                Some(field) => Some(field.secret()?),
                None => None,
            };
            (id.text()?, secret.secret()?, session)
        }
        (Some(field), None) | (None, Some(field)) => {
            field.fail(
                "`aws_access_key_id` and `aws_secret_access_key` belong together: write both",
            );
            return None;
        }
        (None, None) => {
            if let Some(key) = provider
                .key_variables()
                .iter()
                .find_map(|name| params.env(name))
            {
                return Some(Credential::Key(key));
            }
            let found = params
                .env("AWS_ACCESS_KEY_ID")
                .zip(params.env("AWS_SECRET_ACCESS_KEY"));
            let Some((id, secret)) = found else {
                params.fail(format!(
                    "`aws_access_key_id` and `aws_secret_access_key` are missing, and neither AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY nor {} are set",
                    provider.key_variables().join(" or ")
                ));
                return None;
            };
            (
                id.expose_secret().to_owned(),
                secret,
                params.env("AWS_SESSION_TOKEN"),
            )
        }
    };
    let key = AwsCredentials::new(&id, &secret).and_then(|key| match &session {
        Some(token) => key.session_token(token),
        None => Ok(key),
    });
    match key {
        Ok(key) => Some(Credential::Aws {
            region: region.unwrap_or_default().to_owned(),
            key,
        }),
        Err(error) => {
            params.fail(format!("the access key of AWS: {error}"));
            None
        }
    }
}

/// The JSON of a service account's key, or where it lies.
fn google_account(
    provider: &Provider,
    field: Option<Field<'_>>,
    params: &Section<'_>,
) -> Option<Credential> {
    let (text, name) = match &field {
        Some(field) => (field.secret()?, "vertex_credentials".to_owned()),
        None => {
            let found = provider
                .key_variables()
                .into_iter()
                .find_map(|name| Some((params.env(name)?, name.to_owned())));
            let Some(found) = found else {
                params.fail(format!(
                    "`vertex_credentials` is missing, and {} is not set: the path of a service account's key, or its JSON",
                    provider.key_variables().join(" or ")
                ));
                return None;
            };
            found
        }
    };
    let complain = |message: String| match &field {
        Some(field) => field.fail(message),
        None => params.fail(format!("{name}: {message}")),
    };
    let account = json(&text)
        .map_err(|error| format!("the file can't be read: {error}"))
        .and_then(|json| ServiceAccount::from_json(&json).map_err(|error| error.to_string()));
    match account {
        Ok(account) => Some(Credential::Google(Box::new(account))),
        Err(message) => {
            complain(message);
            None
        }
    }
}

/// The text itself where it is JSON, else what lies at that path.
fn json(text: &SecretString) -> std::io::Result<SecretString> {
    if text.expose_secret().trim_start().starts_with('{') {
        return Ok(text.clone());
    }
    fs::read_to_string(text.expose_secret()).map(SecretString::from)
}

/// The project that a service account's key belongs to.
pub(super) fn project(text: &SecretString) -> Option<String> {
    let text = json(text).ok()?;
    let json = Json::read(text.expose_secret()).ok()?;
    let project = json.root().get("project_id")?.text()?.into_owned();
    Some(project)
}
