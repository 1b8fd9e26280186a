//! What may be reached.

use std::collections::HashMap;
use std::net::IpAddr;

use crate::address::{Class, is_metadata_name};
use crate::error::Error;
use crate::origin::{Host, Origin};

/// Says which origins may be reached, and at which addresses.
///
/// Nothing may until it is allowed. An allowed origin is met at public addresses only, unless its configuration names
/// another place: by [`allow_private`](Self::allow_private), by a literal address, or as `localhost`.
///
/// ```
/// use bartizan_egress::Policy;
///
/// let policy = Policy::closed()
///     .allow("https://api.openai.com".parse()?)
///     .allow("http://localhost:11434".parse()?)
///     .allow_private("https://vllm.internal:8443".parse()?);
/// # Ok::<(), bartizan_egress::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Policy {
    origins: HashMap<Origin, Reach>,
    any_public: bool,
}

/// How far an allowed origin may reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    Public,
    Private,
}

impl Policy {
    /// Creates a policy that allows nothing.
    pub fn closed() -> Self {
        Self::default()
    }

    /// Allows an origin at the public addresses that its name resolves to; where the host is a literal address, at that
    /// address whatever it is; where it is `localhost`, on this machine.
    pub fn allow(mut self, origin: Origin) -> Self {
        self.origins.entry(origin).or_insert(Reach::Public);
        self
    }

    /// Allows an origin at loopback, private, carrier-shared and unique local addresses too. Link-local, metadata and the
    /// rest stay closed: they open only to a literal address.
    pub fn allow_private(mut self, origin: Origin) -> Self {
        self.origins.insert(origin, Reach::Private);
        self
    }

    /// Allows every other name on https and port 443 at its public addresses: for what users name, such as web hooks.
    pub fn allow_any_public(mut self) -> Self {
        self.any_public = true;
        self
    }

    /// Whether `origin` may be tried, before its name is resolved, and how far it may reach.
    pub(crate) fn reach(&self, origin: &Origin) -> Result<Reach, Error> {
        if let Some(reach) = self.origins.get(origin) {
            return Ok(*reach);
        }
        match origin.parsed_host() {
            Host::Name(name)
                if self.any_public
                    && origin.is_https()
                    && origin.port() == 443
                    && !is_metadata_name(name) =>
            {
                Ok(Reach::Public)
            }
            _ => Err(Error::NotAllowed(origin.to_string())),
        }
    }

    /// Whether an allowed origin may be met at `address`.
    pub(crate) fn admit(origin: &Origin, reach: Reach, address: IpAddr) -> Result<(), Class> {
        let class = Class::of(address);
        let open = match origin.parsed_host() {
            Host::Address(named) => *named == address,
            Host::Name(name) if is_localhost(name) => class == Class::Loopback,
            Host::Name(_) => {
                class == Class::Public || (reach == Reach::Private && class.may_be_named())
            }
        };
        if open { Ok(()) } else { Err(class) }
    }
}

/// RFC 6761, 6.3: such names mean this machine, and no resolver is asked.
pub(crate) fn is_localhost(name: &str) -> bool {
    name == "localhost" || name.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(text: &str) -> Origin {
        text.parse().unwrap()
    }

    #[test]
    fn only_the_exact_origin_is_allowed() {
        let policy = Policy::closed().allow(origin("https://api.openai.com"));
        assert_eq!(
            policy.reach(&origin("https://api.openai.com:443")).unwrap(),
            Reach::Public
        );
        for other in [
            "http://api.openai.com",
            "https://api.openai.com:8443",
            "https://openai.com",
            "https://x.api.openai.com",
            "https://api.openai.com.evil.example",
            "https://127.0.0.1",
            "https://metadata.google.internal",
        ] {
            assert!(
                matches!(policy.reach(&origin(other)), Err(Error::NotAllowed(_))),
                "{other}"
            );
        }
        assert!(
            Policy::closed()
                .reach(&origin("https://api.openai.com"))
                .is_err()
        );
    }

    #[test]
    fn any_public_means_names_on_https_443() {
        let policy = Policy::closed().allow_any_public();
        assert_eq!(
            policy.reach(&origin("https://hooks.example")).unwrap(),
            Reach::Public
        );
        for other in [
            "http://hooks.example",
            "https://hooks.example:6379",
            "https://8.8.8.8",
            "https://[2606:4700::1111]",
            "https://metadata.google.internal",
            "https://metadata",
        ] {
            assert!(policy.reach(&origin(other)).is_err(), "{other}");
        }
    }

    #[test]
    fn naming_opens_what_was_named_and_no_more() {
        use Reach::{Private, Public};
        for (at, reach, address, open) in [
            ("https://api.example", Public, "93.184.216.34", true),
            ("https://api.example", Public, "10.0.0.1", false),
            ("https://api.example", Public, "127.0.0.1", false),
            ("https://api.example", Private, "93.184.216.34", true),
            ("https://api.example", Private, "10.0.0.1", true),
            ("https://api.example", Private, "127.0.0.1", true),
            ("https://api.example", Private, "100.64.0.1", true),
            ("https://api.example", Private, "fd12::1", true),
            ("https://api.example", Private, "169.254.169.254", false),
            ("https://api.example", Private, "169.254.1.1", false),
            ("https://api.example", Private, "100.100.100.200", false),
            ("https://api.example", Private, "fd00:ec2::254", false),
            ("https://api.example", Private, "::ffff:10.0.0.1", false),
            ("https://api.example", Private, "0.0.0.0", false),
            ("https://api.example", Private, "224.0.0.1", false),
            ("https://api.example", Private, "fe80::1", false),
            ("http://localhost:1", Public, "127.0.0.1", true),
            ("http://localhost:1", Public, "::1", true),
            ("http://localhost:1", Public, "10.0.0.1", false),
            ("http://a.localhost:1", Private, "93.184.216.34", false),
            ("http://10.0.0.5", Public, "10.0.0.5", true),
            ("http://10.0.0.5", Public, "10.0.0.6", false),
            ("http://169.254.169.254", Public, "169.254.169.254", true),
        ] {
            let admitted = Policy::admit(&origin(at), reach, address.parse().unwrap());
            assert_eq!(admitted.is_ok(), open, "{at} {reach:?} at {address}");
        }
    }
}
