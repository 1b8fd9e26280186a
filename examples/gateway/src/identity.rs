//! Whoever is let in besides virtual keys, wherever somebody is let in.

use bartizan::auth::AuthLayer;

use crate::stack::Shared;

/// Tells a layer of them.
pub(crate) fn onto(layer: AuthLayer, shared: &Shared) -> AuthLayer {
    let mut layer = layer;
    if let Some(key) = &shared.master.key {
        layer = layer.master_key(key.clone());
    }
    if let Some(certificates) = &shared.identity.certificates {
        layer = layer.certificates(certificates.clone());
    }
    if let Some(jwt) = &shared.jwt {
        layer = layer.jwt(jwt.clone());
    }
    if let Some(peers) = &shared.identity.peers {
        layer = layer.trusted_peers(peers.clone());
    }
    layer
}
