//! The signature by which a receiver of alerts knows their sender.

use std::fmt;
use std::time::Duration;

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

use crate::{ConfigError, strength};

const LABEL: &[u8] = b"bartizan/alert-webhook/v1";

/// Signs what is sent to a webhook, and verifies it for whoever receives it.
///
/// The header's value is `t=<seconds since 1970>,v1=<hex>`: HMAC-SHA-256 of `<seconds>.<body>`, under a key derived from the secret by
/// HKDF-SHA-256 without salt, with the label `bartizan/alert-webhook/v1`.
///
/// ```
/// use std::time::Duration;
///
/// use bartizan_auth::watch::WebhookKey;
/// use secrecy::SecretString;
///
/// let key = WebhookKey::new(&SecretString::from("9f1c6bd2a07e43f58b3d6e2c914a7f05"))?;
/// let now = Duration::from_secs(1_700_000_000);
/// let signature = key.sign(now, b"{}");
/// assert!(key.verify(&signature, b"{}", now, Duration::from_secs(300)));
/// assert!(!key.verify(&signature, b"[]", now, Duration::from_secs(300)));
/// # Ok::<(), bartizan_auth::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct WebhookKey(Hmac<Sha256>);

impl WebhookKey {
    /// The header that the signature is sent in.
    pub const HEADER: &'static str = "x-bartizan-signature";

    /// Derives the key from a secret of at least 32 characters that sender and receiver share.
    ///
    /// # Errors
    /// [`ConfigError`] when the secret is missing, short, predictable or published.
    pub fn new(secret: &SecretString) -> Result<Self, ConfigError> {
        const WHAT: &str = "the webhook's secret";
        strength::check(WHAT, secret)?;
        let mut derived = [0_u8; 32];
        let derivation = Hkdf::<Sha256>::new(None, secret.expose_secret().as_bytes())
            .expand(LABEL, &mut derived);
        let keyed = Hmac::new_from_slice(&derived);
        derived.fill(0);
        // Neither fails at these lengths; still, a failure must not become a fixed key.
        match (derivation, keyed) {
            (Ok(()), Ok(keyed)) => Ok(Self(keyed)),
            _ => Err(ConfigError::Missing { what: WHAT }),
        }
    }

    /// The header's value for a body that is sent now, counted from 1970-01-01 00:00 UTC.
    #[must_use]
    pub fn sign(&self, now: Duration, body: &[u8]) -> String {
        let seconds = now.as_secs();
        let code = self.code(seconds, body).finalize().into_bytes();
        let hex: String = code.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("t={seconds},v1={hex}")
    }

    /// Whether the header's value is of this body, and was signed at most `tolerance` before or after `now`.
    #[must_use]
    pub fn verify(&self, header: &str, body: &[u8], now: Duration, tolerance: Duration) -> bool {
        let Some((seconds, code)) = read(header) else {
            return false;
        };
        let is_recent = Duration::from_secs(seconds).abs_diff(now) <= tolerance;
        // Compared in constant time.
        self.code(seconds, body).verify_slice(&code).is_ok() && is_recent
    }

    fn code(&self, seconds: u64, body: &[u8]) -> Hmac<Sha256> {
        let mut keyed = self.0.clone();
        keyed.update(format!("{seconds}.").as_bytes());
        keyed.update(body);
        keyed
    }
}

fn read(header: &str) -> Option<(u64, [u8; 32])> {
    let (seconds, hex) = header.strip_prefix("t=")?.split_once(",v1=")?;
    let is_plain = hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    let mut code = [0_u8; 32];
    for (index, byte) in code.iter_mut().enumerate().filter(|_| is_plain) {
        *byte = u8::from_str_radix(hex.get(2 * index..2 * index + 2)?, 16).ok()?;
    }
    let is_number = seconds.bytes().all(|byte| byte.is_ascii_digit());
    (is_plain && is_number).then(|| Some((seconds.parse().ok()?, code)))?
}

impl fmt::Debug for WebhookKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(1_700_000_000);

    fn key(secret: &str) -> WebhookKey {
        WebhookKey::new(&SecretString::from(secret)).unwrap()
    }

    #[test]
    fn a_signature_is_of_its_body_its_time_and_its_secret() {
        let ours = key("9f1c6bd2a07e43f58b3d6e2c914a7f05");
        // Computed apart, by RFC 5869 and RFC 2104.
        let signature =
            "t=1700000000,v1=49e5e7e325384ab875af995f1475042f225909ffc1a2812366a93af742074a69";
        assert_eq!(ours.sign(NOW, b"{\"version\":1}"), signature);
        let late = Duration::from_secs(300);
        let verify = |header: &str, body: &[u8], now| ours.verify(header, body, now, late);
        assert!(verify(signature, b"{\"version\":1}", NOW));
        assert!(verify(signature, b"{\"version\":1}", NOW + late));
        assert!(!verify(signature, b"{\"version\":1}", NOW + late + late));
        assert!(!verify(signature, b"{\"version\":2}", NOW));
        let theirs = key("9f1c6bd2a07e43f58b3d6e2c914a7f06");
        assert!(!theirs.verify(signature, b"{\"version\":1}", NOW, late));
        let moved = signature.replace("t=1700000000", "t=1700000001");
        for header in [
            "",
            "t=,v1=",
            "t=1700000000",
            "v1=00",
            "t=1700000000,v1=zz",
            &moved,
        ] {
            assert!(!verify(header, b"{\"version\":1}", NOW), "{header}");
        }
        assert_eq!(format!("{ours:?}"), "WebhookKey(..)");
    }
}
