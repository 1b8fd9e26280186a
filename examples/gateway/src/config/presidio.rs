//! `bartizan.presidio`: Presidio's REST API, at an address of its own.

use std::net::SocketAddr;

use bartizan::pii::Entity;
use secrecy::SecretString;

use super::detection;
use super::field::Field;
use super::own::{ServerSettings, listen};

/// How Presidio's API is served. Without it, it isn't.
#[derive(Clone, Debug)]
pub(crate) struct PresidioSettings {
    pub(crate) listen: SocketAddr,
    /// What callers must bring.
    pub(crate) api_key: Option<SecretString>,
    /// What is looked for where a request names nothing.
    pub(crate) entities: Option<Vec<Entity>>,
    pub(crate) score_threshold: Option<f32>,
    pub(crate) max_connections: usize,
}

/// `server`: how the gateway itself listens; whether there is TLS is said there.
pub(super) fn read(field: &Field<'_>, server: &ServerSettings) -> Option<PresidioSettings> {
    let mut section = field.section()?;
    let address = section.need("listen");
    let api_key = section.take("api_key").and_then(|field| field.secret());
    let open = section
        .take("allow_without_key")
        .and_then(|field| field.boolean())
        .unwrap_or(false);
    let listen = address.and_then(|field| {
        let listen = listen(&field)?;
        let exposed = ServerSettings {
            listen,
            ..server.clone()
        };
        if listen == server.listen {
            field.fail("the gateway itself listens there: choose another port");
        } else if let Err(mend) = exposed.check_exposure() {
            field.fail(mend);
        } else if !listen.ip().is_loopback() && api_key.is_none() && !open {
            field.fail(
                "this address can be reached from elsewhere, and answers whoever asks: set `api_key`, or `allow_without_key: true` where only \
                 those reach it who may, as LiteLLM sends no key",
            );
        }
        Some(listen)
    });
    if api_key.is_some() && open {
        section.fail("`api_key` and `allow_without_key` don't go together: keep one");
    }
    let entities = section.take("entities").map(|field| {
        let names = field.texts();
        if names.is_empty() {
            field.fail("name at least one kind, or leave `entities` out");
        }
        names
            .iter()
            .filter_map(|(field, name)| detection::known(field, name))
            .collect()
    });
    let score_threshold = section
        .take("score_threshold")
        .and_then(|field| field.fraction());
    let max_connections = section
        .take("max_connections")
        .and_then(|field| field.number(1..=1_000_000))
        .unwrap_or(1_024);
    section.finish(&[]);
    Some(PresidioSettings {
        listen: listen?,
        api_key,
        entities,
        score_threshold,
        max_connections,
    })
}
