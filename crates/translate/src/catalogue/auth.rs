//! How a provider wants to be shown who calls.

use std::fmt;

use http::HeaderName;

use super::fault::Fault;

/// Where a credential stands in a request. Never in a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Auth {
    /// `authorization: Bearer …`.
    Bearer,
    /// As [`Bearer`](Self::Bearer), where there is a key at all: servers of one's own often want none.
    Optional,
    /// A header of its own.
    Header(HeaderName),
    /// `api-key`, or `authorization: Bearer …` with a token of Microsoft Entra ID.
    Azure,
    /// A signature by AWS's version 4 for this service, or `authorization: Bearer …` with an API key of Amazon Bedrock.
    SigV4(Box<str>),
    /// `authorization: Bearer …` with an access token of Google's, made of a service account's key.
    Google,
    /// None.
    None,
}

impl Auth {
    /// Reads it from its text: `bearer`, `optional`, `header NAME`, `azure`, `sigv4 SERVICE`, `google`, `none`.
    pub(super) fn read(text: &str) -> Result<Self, Fault> {
        let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
        match (word, rest.trim()) {
            ("bearer", "") => Ok(Self::Bearer),
            ("optional", "") => Ok(Self::Optional),
            ("azure", "") => Ok(Self::Azure),
            ("google", "") => Ok(Self::Google),
            ("none", "") => Ok(Self::None),
            ("header", name) if !name.is_empty() => Self::header(name),
            ("sigv4", service) if !service.is_empty() => Ok(Self::SigV4(service.into())),
            _ => Err(Fault::new(
                "auth",
                "one of bearer, optional, header NAME, azure, sigv4 SERVICE, google, none belongs here",
            )),
        }
    }

    pub(super) fn header(name: &str) -> Result<Self, Fault> {
        let name = HeaderName::try_from(name)
            .map_err(|_| Fault::new("auth", "a header's name belongs here, such as x-api-key"))?;
        Ok(Self::Header(name))
    }

    /// Whether a request can't be sent without a credential.
    #[must_use]
    pub const fn is_needed(&self) -> bool {
        !matches!(self, Self::None | Self::Optional)
    }
}

impl fmt::Display for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bearer => f.write_str("bearer"),
            Self::Optional => f.write_str("optional"),
            Self::Header(name) => write!(f, "header {name}"),
            Self::Azure => f.write_str("azure"),
            Self::SigV4(service) => write!(f, "sigv4 {service}"),
            Self::Google => f.write_str("google"),
            Self::None => f.write_str("none"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_reads_as_itself() {
        for text in [
            "bearer",
            "optional",
            "header x-api-key",
            "azure",
            "sigv4 bedrock",
            "google",
            "none",
        ] {
            assert_eq!(Auth::read(text).unwrap().to_string(), text);
        }
        for bad in [
            "",
            "query key",
            "header",
            "header a b",
            "sigv4",
            "bearer x",
            "Bearer",
        ] {
            assert!(Auth::read(bad).is_err(), "{bad}");
        }
    }
}
