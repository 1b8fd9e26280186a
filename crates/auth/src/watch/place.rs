//! Where on earth an address is.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Tells where addresses are, from memory: it is asked while a call waits, once an hour for a key and an address.
pub trait Places: Send + Sync + 'static {
    /// Where that is. `None` for private addresses, and where nobody knows.
    fn place(&self, address: IpAddr) -> Option<Place>;
}

/// Knows of no address where it is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nowhere;

impl Places for Nowhere {
    fn place(&self, _: IpAddr) -> Option<Place> {
        None
    }
}

/// Where an address is, as far as that is known.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Place {
    /// In which country.
    pub country: Option<Country>,
    /// At which point.
    pub point: Option<Point>,
}

/// A country, by the two capital letters of ISO 3166-1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Country([u8; 2]);

impl Country {
    /// Reads two capital letters.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let letters: [u8; 2] = text.as_bytes().try_into().ok()?;
        letters
            .iter()
            .all(u8::is_ascii_uppercase)
            .then_some(Self(letters))
    }

    /// The two letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// A point that an address is near.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
    /// How far off the address may be, in kilometres.
    pub accuracy: f64,
}

/// The mean radius of the earth, in kilometres.
const EARTH: f64 = 6_371.009;

impl Point {
    /// The kilometres that certainly lie between here and there along the great circle: what either may be off by does not count.
    #[must_use]
    pub fn apart(&self, there: &Self) -> f64 {
        let (here_north, there_north) = (self.latitude.to_radians(), there.latitude.to_radians());
        let north = (there_north - here_north) / 2.0;
        let east = (there.longitude - self.longitude).to_radians() / 2.0;
        let half_chord =
            north.sin().powi(2) + here_north.cos() * there_north.cos() * east.sin().powi(2);
        let between = 2.0 * EARTH * half_chord.clamp(0.0, 1.0).sqrt().asin();
        (between - self.accuracy - there.accuracy).max(0.0)
    }
}

/// What counts as one address: an IPv4 address, however written, or the /64 that a site's IPv6 addresses share.
pub(super) fn unit(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(
            address.to_bits() & !u128::from(u64::MAX),
        )),
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// Whether an address is of the internet, and so at a place: not private, shared behind a carrier's translation, local or for examples.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let [first, second, ..] = address.octets();
            !(address.is_private()
                || address.is_loopback()
                || address.is_link_local()
                || address.is_broadcast()
                || address.is_multicast()
                || address == Ipv4Addr::UNSPECIFIED
                || first == 0
                || (first == 100 && second & 0xc0 == 64))
        }
        IpAddr::V6(address) => {
            !(address.is_loopback()
                || address.is_unspecified()
                || address.is_multicast()
                || address.is_unique_local()
                || address.is_unicast_link_local())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(latitude: f64, longitude: f64, accuracy: f64) -> Point {
        Point {
            latitude,
            longitude,
            accuracy,
        }
    }

    #[test]
    fn distances_are_those_of_the_great_circle_less_what_is_uncertain() {
        let delhi = at(28.6139, 77.2090, 0.0);
        let london = at(51.5074, -0.1278, 0.0);
        assert!((delhi.apart(&london) - 6_712.0).abs() < 10.0);
        assert!((at(0.0, 179.5, 0.0).apart(&at(0.0, -179.5, 0.0)) - 111.19).abs() < 0.1);
        assert!((at(0.0, 0.0, 0.0).apart(&at(0.0, 180.0, 0.0)) - 20_015.1).abs() < 1.0);
        let off = at(51.5074, -0.1278, 500.0);
        assert!((delhi.apart(&london) - delhi.apart(&off) - 500.0).abs() < 1e-6);
        assert!(london.apart(&off) < f64::EPSILON);
    }

    #[test]
    fn an_address_counts_once_however_it_is_written() {
        let cases = [
            ("::ffff:203.0.113.9", "203.0.113.9"),
            ("203.0.113.9", "203.0.113.9"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
            ("2001:db8:1:2:ffff::1", "2001:db8:1:2::"),
            ("2001:db8:1:3::1", "2001:db8:1:3::"),
        ];
        for (written, counted) in cases {
            assert_eq!(
                unit(written.parse().unwrap()),
                counted.parse::<IpAddr>().unwrap(),
                "{written}"
            );
        }
    }

    #[test]
    fn only_addresses_of_the_internet_are_somewhere() {
        for private in [
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "::ffff:192.168.1.1",
            "127.0.0.1",
            "169.254.1.1",
            "::1",
            "fd00::1",
            "fe80::1",
        ] {
            assert!(!is_public(private.parse().unwrap()), "{private}");
        }
        for public in [
            "100.63.255.255",
            "100.128.0.0",
            "81.2.69.160",
            "2a02:d3c0::1",
        ] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
    }
}
