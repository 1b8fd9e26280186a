//! Where addresses are, by a database that is read in place: where it isn't there, only what needs none is shown.

#![cfg(feature = "geoip")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a helper of a test may fail as a test does"
)]

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use bartizan_auth::watch::{GeoIp, Place, Places};

const DATABASE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../../shared/data/geo/GeoLite2-City-Test.mmdb"
);

fn database() -> Option<Vec<u8>> {
    std::fs::read(DATABASE).ok()
}

fn place(geoip: &GeoIp, address: &str) -> Option<Place> {
    geoip.place(address.parse().unwrap())
}

fn country(geoip: &GeoIp, address: &str) -> Option<String> {
    Some(place(geoip, address)?.country?.as_str().to_owned())
}

/// Writes it with a date of its own, as a file that was moved there has.
fn put(path: &Path, bytes: &[u8], seconds: u64) {
    std::fs::write(path, bytes).unwrap();
    let file = std::fs::File::options().write(true).open(path).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
        .unwrap();
}

fn scratch(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("bartizan-geoip-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder.join(name)
}

#[test]
fn addresses_are_where_the_database_says() {
    if database().is_none() {
        return;
    }
    let geoip = GeoIp::open(DATABASE).unwrap();
    for (address, expected) in [
        ("81.2.69.160", Some("GB")),
        ("::ffff:81.2.69.160", Some("GB")),
        ("89.160.20.128", Some("SE")),
        ("2.125.160.216", Some("GB")),
        ("10.0.0.1", None),
        ("100.64.0.1", None),
        ("::1", None),
    ] {
        assert_eq!(country(&geoip, address).as_deref(), expected, "{address}");
    }
    let point = |address| place(&geoip, address).unwrap().point.unwrap();
    let (london, linkoping) = (point("81.2.69.160"), point("89.160.20.128"));
    assert!((london.latitude - 51.5).abs() < 0.1 && london.accuracy > 0.0);
    assert!((600.0..1_400.0).contains(&london.apart(&linkoping)));
}

#[test]
fn what_is_no_database_is_told_with_its_path_and_reason() {
    let path = scratch("none.mmdb");
    let missing = GeoIp::open(&path).unwrap_err().to_string();
    assert!(
        missing.contains("none.mmdb") && missing.contains("No such file"),
        "{missing}"
    );
    let path = scratch("broken.mmdb");
    std::fs::write(&path, b"not a database").unwrap();
    let broken = GeoIp::open(&path).unwrap_err().to_string();
    assert!(broken.contains("broken.mmdb"), "{broken}");
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn a_changed_file_is_read_again_and_a_broken_one_is_not_taken() {
    let Some(bytes) = database() else {
        return;
    };
    let path = scratch("changing.mmdb");
    put(&path, &bytes, 1_000);
    let geoip = GeoIp::open(&path).unwrap();
    assert!(!geoip.reload().unwrap(), "nothing was changed");
    put(&path, &bytes[..bytes.len() / 2], 2_000);
    assert!(geoip.reload().is_err());
    assert_eq!(country(&geoip, "81.2.69.160").as_deref(), Some("GB"));
    std::fs::remove_file(&path).unwrap();
    assert!(geoip.reload().is_err());
    assert_eq!(country(&geoip, "81.2.69.160").as_deref(), Some("GB"));
    put(&path, &bytes, 3_000);
    assert!(geoip.reload().unwrap());
    assert!(!geoip.reload().unwrap());
    std::fs::remove_file(&path).unwrap();
}
