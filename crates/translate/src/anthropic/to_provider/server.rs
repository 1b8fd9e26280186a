//! Writing the tools that the provider runs itself.

use bartizan_core::Refusal;
use bartizan_core::json::{Json, Kind, Value};

use crate::losses::Losses;
use crate::neutral::Ask;
use crate::read::{member, members};
use crate::write::Writer;

/// A search of the web, as chat's `web_search_options` asks for it.
pub(super) fn search(options: &str, out: &mut Writer, losses: &mut Losses) {
    let Ok(options) = Json::read(options) else {
        return;
    };
    begin(out);
    for (key, value) in members(options.root()) {
        match (key.as_ref(), member(value, "approximate")) {
            ("user_location", Some(place)) => {
                out.key("user_location");
                out.open();
                out.plain_at("type", "approximate");
                for (key, value) in members(place) {
                    if matches!(key.as_ref(), "city" | "country" | "region" | "timezone") {
                        out.raw_at(&key, value.raw());
                    }
                }
                out.close();
            }
            _ => losses.changed("web_search_options"),
        }
    }
    out.close();
}

fn begin(out: &mut Writer) {
    out.open();
    out.plain_at("type", "web_search_20250305");
    out.plain_at("name", "web_search");
}

/// A search of the web, as far as the API can be told how; no other tool of a provider has an equivalent.
pub(super) fn write(
    ask: &Ask<'_>,
    kind: &str,
    raw: Value<'_>,
    out: &mut Writer,
    losses: &mut Losses,
) -> Result<(), Refusal> {
    if kind != "web_search" {
        let says = "the provider has no equivalent of this tool";
        return Err(ask.unsupported("tools", says));
    }
    begin(out);
    for (key, value) in members(raw) {
        match key.as_ref() {
            "type" | "name" | "cache_control" => {}
            // OpenAI's and Anthropic's have the same form.
            "max_uses" | "allowed_domains" | "blocked_domains" | "user_location" => {
                out.raw_at(&key, value.raw());
            }
            "filters" => {
                if let Some(domains) = member(value, "allowed_domains") {
                    out.raw_at("allowed_domains", domains.raw());
                }
            }
            // Google's has no options.
            "googleSearch" | "google_search" if value.kind() == Kind::Object => {}
            _ => losses.dropped("tools.web_search"),
        }
    }
    out.close();
    Ok(())
}
