//! Fetching files that requests name by their addresses, by a client of its own that reaches nothing else.

use bartizan::core::Body;
use bartizan::egress::{Client, ClientBuilder, Error, Origin, Policy, Timeouts};
use bartizan::translate::FetchUrls;
use http::Request;

use crate::config::{FetchSettings, Settings};

/// What is fetched, where the configuration says so.
///
/// # Errors
/// TLS can't be set up.
pub(crate) fn fetch_urls(settings: &Settings) -> Result<Option<FetchUrls>, Error> {
    let Some(fetch) = &settings.fetch_urls else {
        return Ok(None);
    };
    let client = Client::builder(policy(fetch, &settings.private_upstreams));
    Ok(Some(urls(fetch, client)?))
}

/// The hosts that are named, at public addresses. Where a `*` stands for many, [`FetchUrls`] has looked at the name, and any name is met
/// at public addresses.
fn policy(fetch: &FetchSettings, private: &[Origin]) -> Policy {
    let mut policy = Policy::closed();
    for origin in fetch.origins.iter().cloned() {
        policy = if private.contains(&origin) {
            policy.allow_private(origin)
        } else {
            policy.allow(origin)
        };
    }
    if fetch.many {
        policy = policy.allow_any_public();
    }
    policy
}

fn urls(fetch: &FetchSettings, client: ClientBuilder) -> Result<FetchUrls, Error> {
    let times = Timeouts::default().head(fetch.timeout).idle(fetch.timeout);
    let client = client.timeouts(times.total(fetch.timeout)).build()?;
    let urls = FetchUrls::by(move |request: Request<Body>| {
        let client = client.clone();
        async move { client.send(request).await }
    });
    let urls = urls
        .max_bytes(fetch.max_bytes)
        .max_total_bytes(fetch.max_total_bytes)
        .max_files(fetch.max_files)
        .timeout(fetch.timeout)
        .always(fetch.always);
    // The configuration has been read, and with it each host.
    Ok(fetch
        .hosts
        .iter()
        .fold(urls, |urls, host| urls.clone().host(host).unwrap_or(urls)))
}

#[cfg(test)]
mod tests;
