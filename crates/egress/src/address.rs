//! Which addresses lie outside the public internet.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What kind of place an address is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Class {
    /// The public internet.
    Public,
    /// This machine: 127.0.0.0/8, `::1`.
    Loopback,
    /// A private network: 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16.
    Private,
    /// A carrier's shared network: 100.64.0.0/10.
    CarrierNat,
    /// A unique local network: fc00::/7, and fec0::/10 of old.
    UniqueLocal,
    /// This link: 169.254.0.0/16, fe80::/10.
    LinkLocal,
    /// A cloud's metadata or credential service.
    Metadata,
    /// Many receivers: 224.0.0.0/4, ff00::/8, broadcast.
    Multicast,
    /// No address: 0.0.0.0/8, `::`.
    Unspecified,
    /// An IPv4 address in IPv6 clothes: `::ffff:0:0/96`, `::/96`. No honest resolver gives one.
    Disguised,
    /// Set aside: documentation, benchmarks, protocols, future use.
    Reserved,
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Public => "a public address",
            Self::Loopback => "a loopback address",
            Self::Private => "a private address",
            Self::CarrierNat => "a carrier's shared address",
            Self::UniqueLocal => "a unique local address",
            Self::LinkLocal => "a link-local address",
            Self::Metadata => "a cloud metadata address",
            Self::Multicast => "a multicast address",
            Self::Unspecified => "an unspecified address",
            Self::Disguised => "an IPv4 address written as IPv6",
            Self::Reserved => "a reserved address",
        })
    }
}

/// Metadata and credential services of AWS, Azure, Google, Alibaba and Oracle. Those of link-local are here too: naming a
/// private origin never opens them.
const METADATA_V4: [Ipv4Addr; 6] = [
    Ipv4Addr::new(169, 254, 169, 254),
    Ipv4Addr::new(169, 254, 170, 2),
    Ipv4Addr::new(169, 254, 170, 23),
    Ipv4Addr::new(168, 63, 129, 16),
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(192, 0, 0, 192),
];
const METADATA_V6: [Ipv6Addr; 3] = [
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23),
    Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254),
];

/// Names of the same services, beside the address that each resolves to.
const METADATA_NAMES: [&str; 8] = [
    "metadata",
    "metadata.google.internal",
    "metadata.goog",
    "instance-data",
    "instance-data.ec2.internal",
    "metadata.azure.internal",
    "metadata.tencentyun.com",
    "metadata.oraclecloud.com",
];

/// Networks of IPv4, most of the IANA special-purpose registry.
const V4: [(Ipv4Addr, u32, Class); 18] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8, Class::Unspecified),
    (Ipv4Addr::new(10, 0, 0, 0), 8, Class::Private),
    (Ipv4Addr::new(100, 64, 0, 0), 10, Class::CarrierNat),
    (Ipv4Addr::new(127, 0, 0, 0), 8, Class::Loopback),
    (Ipv4Addr::new(169, 254, 0, 0), 16, Class::LinkLocal),
    (Ipv4Addr::new(172, 16, 0, 0), 12, Class::Private),
    (Ipv4Addr::new(192, 0, 0, 0), 24, Class::Reserved),
    (Ipv4Addr::new(192, 0, 2, 0), 24, Class::Reserved),
    (Ipv4Addr::new(192, 31, 196, 0), 24, Class::Reserved),
    (Ipv4Addr::new(192, 52, 193, 0), 24, Class::Reserved),
    (Ipv4Addr::new(192, 88, 99, 0), 24, Class::Reserved),
    (Ipv4Addr::new(192, 168, 0, 0), 16, Class::Private),
    (Ipv4Addr::new(192, 175, 48, 0), 24, Class::Reserved),
    (Ipv4Addr::new(198, 18, 0, 0), 15, Class::Reserved),
    (Ipv4Addr::new(198, 51, 100, 0), 24, Class::Reserved),
    (Ipv4Addr::new(203, 0, 113, 0), 24, Class::Reserved),
    (Ipv4Addr::new(224, 0, 0, 0), 4, Class::Multicast),
    (Ipv4Addr::new(240, 0, 0, 0), 4, Class::Reserved),
];

impl Class {
    /// The class of an address. Where IPv6 carries an IPv4 address through NAT64 or 6to4, that address counts.
    ///
    /// ```
    /// use bartizan_egress::Class;
    ///
    /// assert_eq!(Class::of("8.8.8.8".parse()?), Class::Public);
    /// assert_eq!(Class::of("64:ff9b::a9fe:a9fe".parse()?), Class::Metadata);
    /// # Ok::<(), std::net::AddrParseError>(())
    /// ```
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => of_v4(address),
            IpAddr::V6(address) => of_v6(address),
        }
    }

    /// Whether naming an origin as private opens addresses of this class. The rest open only by their literal address.
    pub(crate) const fn may_be_named(self) -> bool {
        matches!(
            self,
            Self::Public | Self::Loopback | Self::Private | Self::CarrierNat | Self::UniqueLocal
        )
    }
}

/// Whether a name is a cloud's metadata service.
pub(crate) fn is_metadata_name(name: &str) -> bool {
    METADATA_NAMES.contains(&name)
}

fn of_v4(address: Ipv4Addr) -> Class {
    if METADATA_V4.contains(&address) {
        return Class::Metadata;
    }
    if address.is_broadcast() {
        return Class::Multicast;
    }
    let network = V4
        .iter()
        .find(|(network, length, _)| (address.to_bits() ^ network.to_bits()) >> (32 - length) == 0);
    network.map_or(Class::Public, |(_, _, class)| *class)
}

fn of_v6(address: Ipv6Addr) -> Class {
    let segments @ [a, b, c, ..] = address.segments();
    let [.., high, low] = segments;
    let embedded =
        |high: u16, low: u16| of_v4(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)));
    if METADATA_V6.contains(&address) {
        return Class::Metadata;
    }
    match segments {
        [0, 0, 0, 0, 0, 0, 0, 0] => Class::Unspecified,
        [0, 0, 0, 0, 0, 0, 0, 1] => Class::Loopback,
        [0, 0, 0, 0, 0, 0 | 0xffff, ..] => Class::Disguised,
        [0x64, 0xff9b, 0, 0, 0, 0, ..] => embedded(high, low),
        _ => match a {
            0x2002 => embedded(b, c),
            // Protocol assignments (Teredo, ORCHID, benchmarks), documentation, and the direct AS112 service.
            0x2001 if b < 0x200 || b == 0xdb8 => Class::Reserved,
            0x2620 if b == 0x4f && c == 0x8000 => Class::Reserved,
            0x3fff if b < 0x1000 => Class::Reserved,
            0x2000..=0x3fff => Class::Public,
            0xfc00..=0xfdff | 0xfec0..=0xfeff => Class::UniqueLocal,
            0xfe80..=0xfebf => Class::LinkLocal,
            0xff00..=0xffff => Class::Multicast,
            // Nothing outside 2000::/3 is given out as global unicast.
            _ => Class::Reserved,
        },
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn addresses_have_their_class() {
        let table = [
            ("0.0.0.0", Class::Unspecified),
            ("0.255.255.255", Class::Unspecified),
            ("1.0.0.0", Class::Public),
            ("1.1.1.1", Class::Public),
            ("9.255.255.255", Class::Public),
            ("10.0.0.0", Class::Private),
            ("10.255.255.255", Class::Private),
            ("11.0.0.0", Class::Public),
            ("100.63.255.255", Class::Public),
            ("100.64.0.0", Class::CarrierNat),
            ("100.100.100.200", Class::Metadata),
            ("100.127.255.255", Class::CarrierNat),
            ("100.128.0.0", Class::Public),
            ("127.0.0.1", Class::Loopback),
            ("127.255.255.254", Class::Loopback),
            ("168.63.129.16", Class::Metadata),
            ("169.253.255.255", Class::Public),
            ("169.254.0.1", Class::LinkLocal),
            ("169.254.169.254", Class::Metadata),
            ("169.254.170.2", Class::Metadata),
            ("172.15.255.255", Class::Public),
            ("172.16.0.0", Class::Private),
            ("172.31.255.255", Class::Private),
            ("172.32.0.0", Class::Public),
            ("192.0.0.192", Class::Metadata),
            ("192.0.0.1", Class::Reserved),
            ("192.0.2.7", Class::Reserved),
            ("192.88.99.1", Class::Reserved),
            ("192.168.255.255", Class::Private),
            ("192.169.0.0", Class::Public),
            ("198.17.255.255", Class::Public),
            ("198.18.0.0", Class::Reserved),
            ("198.19.255.255", Class::Reserved),
            ("198.51.100.1", Class::Reserved),
            ("203.0.113.1", Class::Reserved),
            ("223.255.255.255", Class::Public),
            ("224.0.0.1", Class::Multicast),
            ("239.255.255.255", Class::Multicast),
            ("240.0.0.1", Class::Reserved),
            ("255.255.255.255", Class::Multicast),
            ("::", Class::Unspecified),
            ("::1", Class::Loopback),
            ("::2", Class::Disguised),
            ("::127.0.0.1", Class::Disguised),
            ("::8.8.8.8", Class::Disguised),
            ("::ffff:127.0.0.1", Class::Disguised),
            ("::ffff:8.8.8.8", Class::Disguised),
            ("::ffff:0:127.0.0.1", Class::Reserved),
            ("64:ff9b::127.0.0.1", Class::Loopback),
            ("64:ff9b::10.1.2.3", Class::Private),
            ("64:ff9b::169.254.169.254", Class::Metadata),
            ("64:ff9b::8.8.8.8", Class::Public),
            ("64:ff9b:1::8.8.8.8", Class::Reserved),
            ("100::1", Class::Reserved),
            ("2001::1", Class::Reserved),
            ("2001:0:4136:e378:8000:63bf:3fff:fdd2", Class::Reserved),
            ("2001:1ff::", Class::Reserved),
            ("2001:200::", Class::Public),
            ("2001:db8::1", Class::Reserved),
            ("2001:4860:4860::8888", Class::Public),
            ("2002:7f00:1::", Class::Loopback),
            ("2002:a9fe:a9fe::1", Class::Metadata),
            ("2002:808:808::", Class::Public),
            ("2606:4700:4700::1111", Class::Public),
            ("3fff::1", Class::Reserved),
            ("3fff:fff::1", Class::Reserved),
            ("4000::1", Class::Reserved),
            ("5f00::1", Class::Reserved),
            ("fc00::1", Class::UniqueLocal),
            ("fd00:ec2::254", Class::Metadata),
            ("fd20:ce::254", Class::Metadata),
            ("fd12::1", Class::UniqueLocal),
            ("fe80::1", Class::LinkLocal),
            ("febf::1", Class::LinkLocal),
            ("fec0::1", Class::UniqueLocal),
            ("ff02::1", Class::Multicast),
        ];
        for (address, class) in table {
            assert_eq!(Class::of(address.parse().unwrap()), class, "{address}");
        }
    }

    proptest! {
        #[test]
        fn no_way_of_embedding_makes_an_address_more_public(bits in any::<u32>(), rest in any::<u128>()) {
            let inner = Ipv4Addr::from_bits(bits);
            let class = Class::of(inner.into());
            let wide = u128::from(bits);
            for (what, outer) in [
                ("mapped", 0xffff << 32 | wide),
                ("compatible", wide),
                ("nat64", 0x64_ff9b << 96 | wide),
                ("6to4", 0x2002 << 112 | wide << 80 | rest >> 48),
            ] {
                let outer = Class::of(Ipv6Addr::from_bits(outer).into());
                prop_assert!(outer == class || outer != Class::Public, "{what} of {inner} is {outer:?}, itself {class:?}");
            }
        }

        #[test]
        fn std_and_the_table_agree_on_what_std_knows(bits in any::<u32>()) {
            let address = Ipv4Addr::from_bits(bits);
            if address.is_private() || address.is_loopback() || address.is_link_local() || address.is_multicast() || address.is_documentation() || address.is_broadcast() {
                prop_assert_ne!(Class::of(address.into()), Class::Public);
            }
        }
    }
}
