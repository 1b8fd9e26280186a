//! Scheme, host and port: where a connection goes, and whom a credential belongs to.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use http::Uri;
use http::uri::{Authority, Scheme};

use crate::error::{Error, UrlFault};

/// A scheme, a host and a port.
///
/// Two URLs with the same origin are answered by the same server, so a credential for one may be shown to the other, and to
/// no one else.
///
/// ```
/// use bartizan_egress::Origin;
///
/// let origin: Origin = "https://API.openai.com".parse()?;
/// assert_eq!(origin, "https://api.openai.com:443/".parse()?);
/// assert_ne!(origin, "http://api.openai.com".parse()?);
/// for other_spelling in ["http://2130706433", "http://0x7f.1", "http://127.1", "http://0177.0.0.1", "http://me@example.com"] {
///     assert!(other_spelling.parse::<Origin>().is_err());
/// }
/// # Ok::<(), bartizan_egress::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Origin {
    https: bool,
    host: Host,
    port: u16,
}

/// A host in its one spelling.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) enum Host {
    /// In lower case, with no dot at its end.
    Name(String),
    Address(IpAddr),
}

impl Origin {
    /// The origin of an absolute URI. What comes behind the authority is not looked at.
    ///
    /// # Errors
    /// [`Error::Url`] for another scheme than http and https, a user name or password, a host that is no name or plain
    /// address, port 0.
    pub fn of(uri: &Uri) -> Result<Self, Error> {
        let https = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTPS => true,
            Some(scheme) if *scheme == Scheme::HTTP => false,
            Some(_) => return Err(UrlFault::Scheme.into()),
            None => return Err(UrlFault::Unreadable.into()),
        };
        let authority = uri.authority().ok_or(UrlFault::Unreadable)?;
        if authority.as_str().contains('@') {
            return Err(UrlFault::UserInfo.into());
        }
        let host = Host::parse(authority.host())?;
        let port = match authority.as_str().strip_prefix(authority.host()) {
            Some("") => {
                if https {
                    443
                } else {
                    80
                }
            }
            Some(port) => port
                .strip_prefix(':')
                .and_then(plain_port)
                .ok_or(UrlFault::Port)?,
            None => return Err(UrlFault::Unreadable.into()),
        };
        Ok(Self { https, host, port })
    }

    /// Whether TLS is spoken.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.https
    }

    /// The host: a name in lower case, or an address (IPv6 without brackets).
    #[must_use]
    pub fn host(&self) -> String {
        match &self.host {
            Host::Name(name) => name.clone(),
            Host::Address(address) => address.to_string(),
        }
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn parsed_host(&self) -> &Host {
        &self.host
    }

    pub(crate) fn scheme(&self) -> Scheme {
        if self.https {
            Scheme::HTTPS
        } else {
            Scheme::HTTP
        }
    }

    pub(crate) fn authority(&self) -> Result<Authority, Error> {
        let default = if self.https { 443 } else { 80 };
        let port = if self.port == default {
            String::new()
        } else {
            format!(":{}", self.port)
        };
        format!("{}{port}", self.host)
            .parse()
            .map_err(|_| UrlFault::Unreadable.into())
    }
}

impl FromStr for Origin {
    type Err = Error;

    /// Reads `scheme://host[:port]`, with nothing behind it but perhaps a slash.
    fn from_str(text: &str) -> Result<Self, Error> {
        let uri = read(text)?;
        let origin = Self::of(&uri)?;
        match uri.path_and_query().map(|rest| rest.as_str()) {
            None | Some("" | "/") => Ok(origin),
            Some(_) => Err(UrlFault::Path.into()),
        }
    }
}

/// Reads a URL, with a word on what is wrong where `http` only says that something is.
pub(crate) fn read(text: &str) -> Result<Uri, Error> {
    if text.contains('#') {
        return Err(UrlFault::Query.into());
    }
    text.parse().map_err(|_| UrlFault::Unreadable.into())
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}:{}", self.scheme(), self.host, self.port)
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Host {
    fn parse(text: &str) -> Result<Self, UrlFault> {
        if let Some(inner) = text.strip_prefix('[') {
            let inner = inner.strip_suffix(']').ok_or(UrlFault::Host)?;
            return inner
                .parse::<Ipv6Addr>()
                .map(|address| Self::Address(address.into()))
                .map_err(|_| UrlFault::Host);
        }
        let name = text.to_ascii_lowercase();
        let last = name.rsplit('.').next().unwrap_or_default();
        // `inet_aton`, and so many a resolver, reads any name whose last part is a number as an address, in spellings that
        // no list of addresses catches.
        if last.starts_with("0x") || (!last.is_empty() && last.bytes().all(|b| b.is_ascii_digit()))
        {
            return name
                .parse::<Ipv4Addr>()
                .map(|address| Self::Address(address.into()))
                .map_err(|_| UrlFault::NumberSpelling);
        }
        let fits = |label: &str| {
            (1..=63).contains(&label.len())
                && label
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        if name.len() > 253 || !name.split('.').all(fits) {
            return Err(UrlFault::Host);
        }
        Ok(Self::Name(name))
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(IpAddr::V4(address)) => address.fmt(f),
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
        }
    }
}

fn plain_port(text: &str) -> Option<u16> {
    let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    plain
        .then(|| text.parse().ok())
        .flatten()
        .filter(|port| *port > 0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Result<Origin, Error> {
        text.parse()
    }

    #[test]
    fn an_origin_has_one_spelling() {
        for (text, canonical) in [
            ("https://api.openai.com", "https://api.openai.com:443"),
            ("HTTPS://API.OpenAI.com/", "https://api.openai.com:443"),
            ("http://localhost:11434", "http://localhost:11434"),
            ("http://127.0.0.1", "http://127.0.0.1:80"),
            ("http://[0:0::1]:8080", "http://[::1]:8080"),
            (
                "https://my_model.svc-1.cluster.local:8443/",
                "https://my_model.svc-1.cluster.local:8443",
            ),
            (
                "https://xn--bcher-kva.example",
                "https://xn--bcher-kva.example:443",
            ),
        ] {
            assert_eq!(parse(text).unwrap().to_string(), canonical, "{text}");
        }
    }

    #[test]
    fn tricks_in_a_url_are_refused() {
        for text in [
            "",
            "/",
            "api.openai.com",
            "//api.openai.com",
            "https://",
            "https:///v1",
            "https://:443",
            "ftp://example.com",
            "file:///etc/passwd",
            "gopher://example.com",
            "unix://socket",
            "httpsx://example.com",
            "https://user@example.com",
            "https://user:pass@example.com",
            "https://@example.com",
            "https://a@b@c",
            "https://example.com@127.0.0.1",
            "https://127.0.0.1#@example.com",
            "https://example.com#f",
            "https://example.com?q",
            "https://example.com/v1",
            "https://example.com:0",
            "https://example.com:",
            "https://example.com:65536",
            "https://example.com:+80",
            "https://example.com: 80",
            "https://example.com.",
            "https://exa mple.com",
            "https://-a.example",
            "https://a-.example",
            "https://a..example",
            "https://.example",
            "https://ex%61mple.com",
            "https://127.0.0.1%00.example.com",
            "https://example.com\\@127.0.0.1",
            "https://１２７.0.0.1",
            "https://ⓛocalhost",
            "http://2130706433",
            "http://0x7f000001",
            "http://0x7f.0.0.1",
            "http://0177.0.0.1",
            "http://017700000001",
            "http://127.1",
            "http://127.0.1",
            "http://127.0.0.01",
            "http://0",
            "http://0x",
            "http://1.2.3.4.5",
            "http://256.1.1.1",
            "http://foo.0x7f",
            "http://foo.1",
            "http://0300.0250.0.1",
            "http://0xa9fea9fe",
            "http://0251.0376.0251.0376",
            "http://169.254.43518",
            "http://2852039166",
            "http://127.0.0.1.",
            "http://4294967297",
            "http://00000127.0.0.1",
            "http://[::1",
            "http://::1",
            "http://[::1%25eth0]",
            "http://[fe80::1%eth0]",
            "http://[::127.1]",
            "http://[127.0.0.1]",
            "http://[::1]x",
            "http://[::1].example",
        ] {
            assert!(
                parse(text).is_err(),
                "{text:?} is read as {:?}",
                parse(text)
            );
        }
        let long = format!("https://{}.example", "a".repeat(64));
        assert!(parse(&long).is_err());
        assert!(parse(&format!("https://{}example", "a.".repeat(130))).is_err());
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_as_itself(text in r"https?://([a-z0-9_-]{1,9}\.){0,3}[a-zA-Z0-9x]{1,9}(:[0-9]{1,5})?") {
            if let Ok(origin) = parse(&text) {
                prop_assert_eq!(parse(&origin.to_string()).unwrap(), origin.clone());
                let uri = Uri::builder().scheme(origin.scheme()).authority(origin.authority().unwrap()).path_and_query("/").build().unwrap();
                prop_assert_eq!(Origin::of(&uri).unwrap(), origin);
            }
        }

        #[test]
        fn a_name_is_never_what_inet_aton_takes_for_a_number(text in r"((0x)?[0-9a-f]{0,8}\.){0,3}(0[xX])?[0-9a-fA-F]{0,10}") {
            if let Ok(Origin { host: Host::Name(name), .. }) = parse(&format!("http://{text}")) {
                let number = |label: &str| label.strip_prefix("0x").map_or_else(
                    || !label.is_empty() && label.bytes().all(|b| b.is_ascii_digit()),
                    |hex| hex.bytes().all(|b| b.is_ascii_hexdigit()),
                );
                prop_assert!(!name.split('.').all(number), "{name}");
            }
        }
    }
}
