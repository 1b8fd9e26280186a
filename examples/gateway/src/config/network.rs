//! `use_x_forwarded_for`, `trusted_proxy_ranges` and `allowed_ips` of `general_settings`: from where callers come.

use std::net::IpAddr;

use ipnet::IpNet;

use super::field::Field;
use super::read::Section;

/// Whose word for a caller's address counts, and which addresses may call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct NetworkSettings {
    /// Proxies whose `x-forwarded-for` is believed. Where there is none, nobody's is.
    pub(crate) proxies: Vec<IpNet>,
    /// Who may call at all; everybody, where it is not said.
    pub(crate) allowed: Option<Vec<IpNet>>,
}

pub(super) fn read(section: &mut Section<'_>) -> NetworkSettings {
    let forwarded = section.take("use_x_forwarded_for");
    let believes = forwarded.as_ref().and_then(|field| field.boolean());
    let trusted = section.take("trusted_proxy_ranges");
    let proxies = trusted.as_ref().map(proxies).unwrap_or_default();
    match (believes, &forwarded, &trusted) {
        (Some(true), Some(field), None) => field.fail(
            "whose? name your proxies in `trusted_proxy_ranges`: from everybody else the header is what a caller likes to write",
        ),
        (None | Some(false), _, Some(field)) => {
            field.fail("these do nothing without `use_x_forwarded_for: true`: set it, or remove them");
        }
        _ => {}
    }
    let allowed = section.take("allowed_ips").map(|field| {
        let ranges = ranges(&field);
        if ranges.is_empty() {
            field.fail("nobody could call: name addresses or ranges, or leave `allowed_ips` out for everybody");
        }
        ranges.into_iter().map(|(_, range)| range).collect()
    });
    NetworkSettings { proxies, allowed }
}

fn proxies(field: &Field<'_>) -> Vec<IpNet> {
    let ranges = ranges(field);
    if ranges.is_empty() {
        field.fail("name the address of one proxy at least");
    }
    let mut proxies = Vec::new();
    for (field, range) in ranges {
        if range.prefix_len() == 0 {
            field.fail(
                "everybody is in this range, and could write any address: name your proxies alone",
            );
        }
        proxies.push(range);
    }
    proxies
}

/// Addresses and ranges, each with where it stands.
pub(super) fn ranges<'a>(field: &Field<'a>) -> Vec<(Field<'a>, IpNet)> {
    let mut ranges = Vec::new();
    for (field, text) in field.texts() {
        let range = text
            .parse::<IpNet>()
            .or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        match range {
            // Addresses are compared as what they are, so that one in IPv6 clothes would never fit.
            Ok(IpNet::V6(range)) if range.addr().to_ipv4_mapped().is_some() => {
                field.fail("write the IPv4 address itself, without `::ffff:`");
            }
            Ok(range) => ranges.push((field, range.trunc())),
            Err(_) => {
                field
                    .fail("an address or a range belongs here, such as 192.0.2.7 or 2001:db8::/32");
            }
        }
    }
    ranges
}
