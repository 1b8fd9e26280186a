//! The layer of limits, as it is configured.

use std::sync::Arc;

use bartizan::limit::LimitLayer;

use crate::config::Settings;
use crate::provider::{Catalogue, Prices};

/// What binds callers, besides what they carry, and what models cost.
pub(crate) fn layer(settings: &Settings, catalogue: &Arc<Catalogue>) -> LimitLayer {
    let limits = &settings.limits;
    let mut layer = LimitLayer::new()
        .prices(Prices::new(Arc::clone(catalogue)))
        .unknown_prices(limits.unknown_prices)
        .limit_admins(limits.limit_admins)
        .global(limits.global.clone());
    for (level, allowance) in &limits.defaults {
        layer = layer.default_limits(*level, allowance.clone());
    }
    // What `model_list` and `bartizan.limits.models` say of one name binds both.
    let mut models = limits.models.clone();
    for (model, told) in &settings.model_limits {
        let known = models.entry(model.clone()).or_default();
        *known = std::mem::take(known).and(&(*told).into());
    }
    for (model, allowance) in models {
        layer = layer.model(model, allowance);
    }
    for (model, allowance) in &limits.models_per_key {
        layer = layer.model_per_key(model, allowance.clone());
    }
    for (tag, allowance) in &limits.tags {
        layer = layer.tag(tag, allowance.clone());
    }
    for (name, allowance) in &limits.tiers {
        layer = layer.tier(name, allowance.clone());
    }
    if let Some(users) = &limits.end_users {
        layer = layer.end_users(users.clone());
    }
    if let Some(zone) = &limits.time_zone {
        // It was looked up when it was read.
        layer = layer.clone().time_zone(zone).unwrap_or(layer);
    }
    if let Some(kind) = limits.token_kind {
        layer = layer.token_kind(kind);
    }
    if let Some(weight) = limits.cached_input_weight {
        layer = layer.cached_input_weight(weight);
    }
    if let Some(shares) = &limits.alert_shares {
        layer = layer.alert_shares(shares.iter().copied());
    }
    if let Some(tokens) = limits.default_output_tokens {
        layer = layer.default_output_tokens(tokens);
    }
    match limits.max_counters {
        Some(most) => layer.max_counters(most),
        None => layer,
    }
}
