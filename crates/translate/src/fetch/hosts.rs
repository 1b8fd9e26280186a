//! Hosts from which files may be fetched.

use http::Uri;
use http::uri::Authority;

/// One of them, or all names under one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Host {
    https: bool,
    /// Lower case.
    name: String,
    /// Whether `name` is what the names end with.
    under: bool,
    port: u16,
}

impl Host {
    /// Reads `name`, `*.name`, either with `:port`, or with `https://` or `http://` in front.
    pub(super) fn read(text: &str) -> Option<Self> {
        let (https, rest) = match text.split_once("://") {
            Some(("https", rest)) => (true, rest),
            Some(("http", rest)) => (false, rest),
            Some(_) => return None,
            None => (true, text),
        };
        let (under, rest) = match rest.strip_prefix("*.") {
            Some(rest) => (true, rest),
            None => (false, rest),
        };
        // Read as the host of an address, so that both are read alike.
        let uri: Uri = format!("https://{rest}/").parse().ok()?;
        let authority = uri.authority()?;
        if authority.as_str() != rest || rest.contains(['@', '*', '%']) {
            return None;
        }
        let name = authority.host().to_ascii_lowercase();
        let inside = name.trim_start_matches('[').trim_end_matches(']');
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
        if inside.is_empty() || !inside.chars().all(plain) || inside.ends_with('.') {
            return None;
        }
        // All names under one that has no dot would be a whole top-level domain.
        if under && !name.contains('.') {
            return None;
        }
        let port = port(authority, https)?;
        Some(Self {
            https,
            name,
            under,
            port,
        })
    }

    pub(super) fn fits(&self, uri: &Uri) -> bool {
        let https = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return false,
        };
        let Some(authority) = uri.authority() else {
            return false;
        };
        if https != self.https || authority.as_str().contains('@') {
            return false;
        }
        let name = authority.host().to_ascii_lowercase();
        let named = if self.under {
            name.strip_suffix(&self.name)
                .is_some_and(|front| front.len() > 1 && front.ends_with('.'))
        } else {
            name == self.name
        };
        named && port(authority, https) == Some(self.port)
    }
}

/// The port that is meant; `None` where what stands there is none.
fn port(authority: &Authority, https: bool) -> Option<u16> {
    let after = authority.as_str().rsplit_once(':').map(|(_, after)| after);
    match (authority.port(), after) {
        (Some(port), _) => Some(port.as_u16()),
        (None, Some(after)) if !after.ends_with(']') => None,
        _ if https => Some(443),
        _ => Some(80),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(host: &str, url: &str) -> bool {
        let host = Host::read(host).unwrap();
        url.parse::<Uri>().is_ok_and(|uri| host.fits(&uri))
    }

    #[test]
    fn only_what_is_named_fits() {
        for (host, url) in [
            (
                "images.example.com",
                "https://images.example.com/a.png?x=1#y",
            ),
            ("Images.Example.com", "https://IMAGES.example.COM:443/a"),
            (
                "images.example.com:8443",
                "https://images.example.com:8443/a",
            ),
            ("*.example.com", "https://a.example.com/"),
            ("*.example.com", "https://a.b.example.com/"),
            ("http://localhost:8080", "http://localhost:8080/a"),
            ("[::1]:8443", "https://[::1]:8443/a"),
        ] {
            assert!(fits(host, url), "{host} {url}");
        }
        for (host, url) in [
            ("images.example.com", "http://images.example.com/"),
            ("images.example.com", "https://images.example.com:8443/"),
            ("images.example.com", "https://images.example.com:/"),
            ("images.example.com", "https://images.example.com./"),
            (
                "images.example.com",
                "https://images.example.com.evil.example/",
            ),
            (
                "images.example.com",
                "https://evil.example/images.example.com",
            ),
            (
                "images.example.com",
                "https://images.example.com@evil.example/",
            ),
            (
                "images.example.com",
                "https://evil.example#@images.example.com/",
            ),
            (
                "images.example.com",
                "https://evil.example\\@images.example.com/",
            ),
            ("images.example.com", "https://user:pw@images.example.com/"),
            ("images.example.com", "https://images%2eexample.com/"),
            (
                "images.example.com",
                "https://images.example.com%00.evil.example/",
            ),
            ("images.example.com", "https://10.0.0.1/"),
            ("images.example.com", "https://0x7f.1/"),
            ("images.example.com", "https://2130706433/"),
            ("images.example.com", "https://[::ffff:127.0.0.1]/"),
            ("images.example.com", "//images.example.com/"),
            ("images.example.com", "/a"),
            ("images.example.com", "ftp://images.example.com/"),
            ("*.example.com", "https://example.com/"),
            ("*.example.com", "https://.example.com/"),
            ("*.example.com", "https://evilexample.com/"),
            ("http://localhost:8080", "https://localhost:8080/"),
        ] {
            assert!(!fits(host, url), "{host} {url}");
        }
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for bad in [
            "",
            "*",
            "*.",
            "*.com",
            "a b",
            "a/b",
            "user@a",
            "ftp://a",
            "a.",
            "https://",
            "a:x",
            "*.*.a.com",
            "a%2eb",
            "a?b",
            "a#b",
            "://a",
        ] {
            assert_eq!(Host::read(bad), None, "{bad}");
        }
    }
}
