//! Reading `generationConfig`.

use bartizan_core::Refusal;
use bartizan_core::json::{Kind, Value};

use super::super::fields::fields;
use super::schema;
use crate::facts::Effort;
use crate::losses::Losses;
use crate::neutral::{Ask, Format, Raw, Reasoning};
use crate::read::{Place, Unknown, unknown};

pub(super) fn decode<'a>(
    here: &Place<'_>,
    value: Value<'a>,
    ask: &mut Ask<'a>,
    policy: Unknown,
    losses: &mut Losses,
) -> Result<(), Refusal> {
    let mut form = Form::default();
    for (key, value) in fields(here, value)? {
        let there = Place::In(here, &key);
        match key.as_ref() {
            "temperature" => {
                let number = there.number(value)?;
                if !(0.0..=2.0).contains(&number.value) {
                    return Err(there.invalid("from 0 to 2"));
                }
                ask.temperature = Some(number);
            }
            "topP" => {
                let number = there.number(value)?;
                if !(0.0..=1.0).contains(&number.value) {
                    return Err(there.invalid("from 0 to 1"));
                }
                ask.top_p = Some(number);
            }
            "topK" => ask.top_k = Some(there.number(value)?),
            "maxOutputTokens" => ask.max_output = Some(there.count(value)?),
            "stopSequences" => {
                let items = there.items(value)?.into_iter().enumerate();
                let read = items.map(|(index, item)| Place::At(&there, index).text(item));
                ask.stop = read.collect::<Result<_, _>>()?;
            }
            "candidateCount" => {
                if there.count(value)? > 1 {
                    return Err(there.unsupported("one answer at a time: set it to 1"));
                }
            }
            "seed" => {
                ask.wishes.add("seed", value);
            }
            "presencePenalty" => {
                there.number(value)?;
                ask.wishes.add("presence_penalty", value);
            }
            "frequencyPenalty" => {
                there.number(value)?;
                ask.wishes.add("frequency_penalty", value);
            }
            "responseLogprobs" => {
                ask.wishes.add("logprobs", value);
            }
            "logprobs" => {
                there.count(value)?;
                ask.wishes.add("top_logprobs", value);
            }
            "responseMimeType" => form.mime = Some(there.text(value)?.to_ascii_lowercase()),
            "responseSchema" => form.schema = Some(schema::decode(&there, value, policy, losses)?),
            "responseJsonSchema" | "_responseJsonSchema" => {
                form.schema = Some(Raw::Read(there.object(value)?));
            }
            "responseFormat" => {
                return Err(there.unsupported("use responseMimeType and responseJsonSchema"));
            }
            "thinkingConfig" => thinking(&there, value, ask, policy, losses)?,
            "responseModalities" => {
                let items = there.items(value)?;
                let text = |kind: &Value<'_>| {
                    kind.text().is_some_and(|kind| {
                        kind.eq_ignore_ascii_case("text")
                            || kind.eq_ignore_ascii_case("modality_unspecified")
                    })
                };
                if !items.iter().all(text) {
                    return Err(there.unsupported("the provider answers in text only"));
                }
            }
            name => match dropped(name) {
                Some(name) => losses.dropped(name),
                None => unknown(here, policy, losses, name)?,
            },
        }
    }
    ask.format = form.read(here)?;
    Ok(())
}

/// What only nudges the model, or says how it would speak or draw, which it is not asked to.
fn dropped(name: &str) -> Option<&'static str> {
    Some(match name {
        "mediaResolution" => "generationConfig.mediaResolution",
        "speechConfig" => "generationConfig.speechConfig",
        "imageConfig" => "generationConfig.imageConfig",
        "audioTimestamp" => "generationConfig.audioTimestamp",
        "audioTranscriptionConfig" => "generationConfig.audioTranscriptionConfig",
        "routingConfig" => "generationConfig.routingConfig",
        "modelSelectionConfig" => "generationConfig.modelSelectionConfig",
        "enableEnhancedCivicAnswers" => "generationConfig.enableEnhancedCivicAnswers",
        "enableAffectiveDialog" => "generationConfig.enableAffectiveDialog",
        _ => return None,
    })
}

/// What form the answer has, which several members say together.
#[derive(Default)]
struct Form<'a> {
    mime: Option<String>,
    schema: Option<Raw<'a>>,
}

impl<'a> Form<'a> {
    fn read(self, here: &Place<'_>) -> Result<Format<'a>, Refusal> {
        match (self.mime.as_deref(), self.schema) {
            (None | Some("application/json"), Some(schema)) => Ok(Format::Schema {
                name: None,
                description: None,
                schema,
                // What is strict elsewhere takes less than a schema may say here.
                strict: false,
            }),
            (Some("application/json"), None) => Ok(Format::Object),
            (None | Some("" | "text/plain"), None) => Ok(Format::Text),
            _ => {
                let there = Place::In(here, "responseMimeType");
                Err(there.unsupported("text/plain or application/json"))
            }
        }
    }
}

fn thinking(
    here: &Place<'_>,
    value: Value<'_>,
    ask: &mut Ask<'_>,
    policy: Unknown,
    losses: &mut Losses,
) -> Result<(), Refusal> {
    let (mut budget, mut level) = (None, None);
    for (key, value) in fields(here, value)? {
        let there = Place::In(here, &key);
        match key.as_ref() {
            "includeThoughts" => ask.show_thoughts = there.flag(value)?.then_some(true),
            "thinkingBudget" => {
                let tokens = (value.kind() == Kind::Number)
                    .then(|| value.raw().parse().ok())
                    .flatten();
                budget = Some(match tokens {
                    Some(-1) => Reasoning::Auto,
                    Some(0) => Reasoning::Off,
                    Some(tokens) => u64::try_from(tokens)
                        .map(Reasoning::Budget)
                        .map_err(|_| there.invalid("a number of tokens, or -1"))?,
                    None => return Err(there.invalid("a whole number of tokens, or -1")),
                });
            }
            "thinkingLevel" => {
                let word = there.text(value)?.to_ascii_lowercase();
                if word != "thinking_level_unspecified" {
                    let effort = Effort::named(&word);
                    let effort = effort
                        .ok_or_else(|| there.invalid("MINIMAL, LOW, MEDIUM, HIGH or XHIGH"))?;
                    level = Some(Reasoning::Effort(effort));
                }
            }
            name => unknown(here, policy, losses, name)?,
        }
    }
    if budget.is_some() && level.is_some() {
        return Err(here.invalid("either thinkingBudget or thinkingLevel"));
    }
    ask.reasoning = level.or(budget);
    Ok(())
}
