//! Writing `generationConfig`.

use bartizan_core::Refusal;

use super::thinking::Thinks;
use crate::dialects::To;
use crate::losses::Losses;
use crate::neutral::{Ask, Format};
use crate::write::Writer;

/// The most stop sequences that the API takes.
const STOPS: usize = 5;

pub(super) fn write(
    ask: &Ask<'_>,
    to: &To<'_>,
    out: &mut Writer,
    losses: &mut Losses,
) -> Result<(), Refusal> {
    if ask.stop.len() > STOPS {
        return Err(ask.unsupported("stop", "the provider takes at most 5 stop sequences"));
    }
    let mut config = Writer::with_capacity(256);
    let numbers = [
        ("temperature", &ask.temperature),
        ("topP", &ask.top_p),
        ("topK", &ask.top_k),
    ];
    for (name, number) in numbers {
        if let Some(number) = number {
            config.raw_at(name, number.raw);
        }
    }
    if let Some(most) = ask.max_output {
        config.number_at("maxOutputTokens", most);
    }
    if !ask.stop.is_empty() {
        config.key("stopSequences");
        config.open_list();
        ask.stop.iter().for_each(|stop| config.text(stop));
        config.close_list();
    }
    if let Some(seed) = ask.wishes.get("seed") {
        // Elsewhere a seed may be longer.
        if seed.parse::<i32>().is_ok() {
            config.raw_at("seed", seed);
        } else {
            losses.dropped("seed");
        }
    }
    for (ours, theirs) in [
        ("presence_penalty", "presencePenalty"),
        ("frequency_penalty", "frequencyPenalty"),
    ] {
        if let Some(number) = ask.wishes.get(ours) {
            config.raw_at(theirs, number);
        }
    }
    match &ask.format {
        Format::Text => {}
        Format::Object => config.plain_at("responseMimeType", "application/json"),
        // The API keeps to a schema whether it is strict or not, and has no name for it.
        Format::Schema {
            description,
            schema,
            ..
        } => {
            if description.is_some() {
                losses.dropped("response_format.json_schema.description");
            }
            config.plain_at("responseMimeType", "application/json");
            config.raw_at("responseJsonSchema", schema.raw());
        }
    }
    Thinks::of(ask, to, losses).write(&mut config);
    let config = config.finish();
    if !config.is_empty() {
        out.key("generationConfig");
        out.open();
        out.raw(&config);
        out.close();
    }
    Ok(())
}
