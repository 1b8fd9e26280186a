//! `bartizan.translate.fetch_urls`: from where files are fetched that requests name by their addresses.

use std::time::Duration;

use bartizan::egress::Origin;

use super::field::Field;

/// What is fetched. Without it nothing is.
#[derive(Clone, Debug)]
pub(crate) struct FetchSettings {
    /// As they are written: `images.example.com`, `*.example.com`.
    pub(crate) hosts: Vec<String>,
    /// Those of them that are one origin each.
    pub(crate) origins: Vec<Origin>,
    /// Whether a `*` stands for many.
    pub(crate) many: bool,
    pub(crate) max_bytes: usize,
    pub(crate) max_total_bytes: usize,
    pub(crate) max_files: usize,
    pub(crate) timeout: Duration,
    /// Whether files are fetched here for providers too that fetch themselves.
    pub(crate) always: bool,
}

const MIB: usize = 1024 * 1024;

impl Default for FetchSettings {
    fn default() -> Self {
        Self {
            hosts: Vec::new(),
            origins: Vec::new(),
            many: false,
            max_bytes: 10 * MIB,
            max_total_bytes: 20 * MIB,
            max_files: 16,
            timeout: Duration::from_secs(10),
            always: false,
        }
    }
}

pub(super) fn read(field: &Field<'_>) -> Option<FetchSettings> {
    let mut section = field.section()?;
    let mut settings = FetchSettings::default();
    for (field, host) in section.need("hosts").map(|field| field.texts())? {
        if !bartizan::translate::FetchUrls::is_host(&host) {
            field.fail("a host belongs here, such as images.example.com, or *.example.com for all names under one");
            continue;
        }
        if host.contains("*.") {
            settings.many = true;
        } else if let Some(origin) = origin(&host) {
            settings.origins.push(origin);
        } else {
            field.fail("no connection can be made to this host");
        }
        settings.hosts.push(host);
    }
    if settings.hosts.is_empty() {
        field.fail("name at least one host, or leave `fetch_urls` out: then nothing is fetched");
        return None;
    }
    for (name, bytes) in [
        ("max_bytes", &mut settings.max_bytes),
        ("max_total_bytes", &mut settings.max_total_bytes),
    ] {
        let found = section.take(name);
        if let Some(found) = found.and_then(|field| field.number(1_024..=256 * MIB)) {
            *bytes = found;
        }
    }
    if let Some(files) = section
        .take("max_files")
        .and_then(|field| field.number(1..=1_000))
    {
        settings.max_files = files;
    }
    if let Some(limit) = section
        .take("timeout")
        .and_then(|field| field.duration(Duration::from_millis(100)..=Duration::from_secs(300)))
    {
        settings.timeout = limit;
    }
    if let Some(always) = section.take("always").and_then(|field| field.boolean()) {
        settings.always = always;
    }
    section.finish(&[]);
    Some(settings)
}

/// By https, unless the host says otherwise.
fn origin(host: &str) -> Option<Origin> {
    if host.contains("://") {
        host.parse().ok()
    } else {
        format!("https://{host}").parse().ok()
    }
}
