use super::*;

fn network(words: &str) -> Result<NetworkSettings, Vec<String>> {
    read(&with_model(&format!("general_settings:\n{words}"))).map(|settings| settings.network)
}

#[test]
fn proxies_and_allowed_addresses_are_ranges_or_single_addresses() {
    assert_eq!(
        network("  use_x_forwarded_for: false").unwrap(),
        NetworkSettings::default()
    );
    let told = network("  use_x_forwarded_for: true\n  trusted_proxy_ranges: [10.0.0.7, 10.1.2.3/16, 'fd00::/8']\n  allowed_ips: 192.0.2.1").unwrap();
    let ranges = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
    assert_eq!(
        told,
        NetworkSettings {
            proxies: ranges(&["10.0.0.7/32", "10.1.0.0/16", "fd00::/8"]),
            allowed: Some(ranges(&["192.0.2.1/32"])),
        }
    );
}

#[test]
fn what_would_believe_anybody_or_let_nobody_in_is_an_error_with_its_mend() {
    for (words, says) in [
        (
            "  use_x_forwarded_for: true",
            "line 3: general_settings.use_x_forwarded_for: whose? name your proxies in `trusted_proxy_ranges`",
        ),
        (
            "  trusted_proxy_ranges: [10.0.0.1]",
            "general_settings.trusted_proxy_ranges: these do nothing without `use_x_forwarded_for: true`",
        ),
        (
            "  use_x_forwarded_for: no\n  trusted_proxy_ranges: [10.0.0.1]",
            "do nothing",
        ),
        (
            "  use_x_forwarded_for: true\n  trusted_proxy_ranges: []",
            "line 4: general_settings.trusted_proxy_ranges: name the address of one proxy",
        ),
        (
            "  use_x_forwarded_for: true\n  trusted_proxy_ranges: [10.0.0.1, 0.0.0.0/0]",
            "general_settings.trusted_proxy_ranges[1]: everybody is in this range",
        ),
        (
            "  use_x_forwarded_for: true\n  trusted_proxy_ranges: ['::/0']",
            "everybody is in this range",
        ),
        (
            "  allowed_ips: []",
            "general_settings.allowed_ips: nobody could call",
        ),
        (
            "  allowed_ips: [10.0.0.1, host.example]",
            "general_settings.allowed_ips[1]: an address or a range belongs here",
        ),
        (
            "  allowed_ips: [10.0.0.0/33]",
            "an address or a range belongs here",
        ),
        (
            "  allowed_ips: ['::ffff:10.0.0.1']",
            "write the IPv4 address itself",
        ),
        (
            "  allowed_ip: [10.0.0.1]",
            "line 3: general_settings.allowed_ip: this key is not known; did you mean `allowed_ips`?",
        ),
        (
            "  use_forwarded_for: true",
            "did you mean `use_x_forwarded_for`?",
        ),
    ] {
        let problems = network(words).err().unwrap_or_default().join("\n");
        assert!(problems.contains(says), "{words}: {problems}");
    }
}
