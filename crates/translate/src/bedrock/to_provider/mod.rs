//! Writing a request.

mod media;
mod plan;
mod tools;
mod turns;

use bartizan_core::Refusal;
use bartizan_core::json::{Json, Kind, Value};

use self::plan::Plan;
use super::family::Family;
use super::from_provider::{Events, Setup};
use crate::dialects::{Encoded, To};
use crate::losses::Losses;
use crate::names::{Rule, ToolNames, short_id};
use crate::neutral::{Ask, Str};
use crate::read::member;
use crate::write::Writer;

/// What the API takes for the name of a tool.
const TOOL_NAME: Rule = Rule {
    fits: |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'),
    least: 1,
    most: 64,
};

/// What it takes for the id of a call.
const TOOL_ID: Rule = Rule {
    fits: |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b':'),
    least: 1,
    most: 64,
};

/// The wishes that the API has a word for.
const SAID: &[&str] = &["guardrail_config", "metadata", "service_tier"];

pub(crate) fn encode(ask: &Ask<'_>, to: To<'_>, losses: &mut Losses) -> Result<Encoded, Refusal> {
    let family = Family::of(to.model, to.facts);
    let names = ToolNames::of(ask, TOOL_NAME);
    if !names.is_empty() {
        losses.changed("tools.name");
    }
    ask.wishes.leave(SAID, losses)?;
    let plan = Plan::of(ask, &to, family, losses)?;
    let mut pen = Pen {
        out: Writer::with_capacity(4_096),
        ask,
        family,
        names: &names,
        documents: Vec::new(),
        losses,
    };
    pen.out.open();
    turns::system(&mut pen)?;
    turns::messages(&mut pen)?;
    tools::write(&mut pen, &plan)?;
    plan.write(ask, &mut pen.out);
    wishes(&mut pen)?;
    pen.out.close();
    let text = pen.out.finish();
    if ask.user.as_deref().is_some_and(|user| !user.is_empty()) {
        losses.dropped("user");
    }
    if ask.show_thoughts == Some(false) && family != Family::Claude {
        losses.dropped("reasoning.exclude");
    }
    let model = if to.model.starts_with("arn:") {
        // It names the account.
        &ask.model
    } else {
        to.model
    };
    let setup = Setup {
        hidden_tool: plan.is_hidden(),
        maker: family.maker(),
        model: model.to_owned(),
        request_id: String::new(),
        names,
    };
    Ok(Encoded {
        text,
        reader: Box::new(Events::new(setup)),
    })
}

/// The request that is being written.
struct Pen<'e, 'a> {
    out: Writer,
    ask: &'e Ask<'a>,
    family: Family,
    names: &'e ToolNames,
    /// The names of the documents so far: no two may be the same.
    documents: Vec<String>,
    losses: &'e mut Losses,
}

impl Pen<'_, '_> {
    /// A mark for the cache, behind what was written last. `cache` in Anthropic's words.
    fn cache_point(&mut self, cache: Option<Value<'_>>) {
        let Some(cache) = cache else { return };
        if !self.family.caches() {
            self.losses.dropped("cache_control");
            return;
        }
        let ttl = member(cache, "ttl").and_then(Value::text);
        self.out.open();
        self.out.key("cachePoint");
        self.out.open();
        self.out.plain_at("type", "default");
        if let Some(ttl) = ttl.as_deref().filter(|ttl| matches!(*ttl, "5m" | "1h")) {
            self.out.plain_at("ttl", ttl);
        }
        self.out.close();
        self.out.close();
    }
}

fn tool_id(id: &str) -> Str<'_> {
    short_id(id, TOOL_ID)
}

fn wishes(pen: &mut Pen<'_, '_>) -> Result<(), Refusal> {
    let ask = pen.ask;
    if let Some(guardrail) = ask.wishes.get("guardrail_config") {
        if !guardrail.starts_with('{') {
            return Err(ask.invalid("guardrail_config", "not an object"));
        }
        pen.out.raw_at("guardrailConfig", guardrail);
    }
    if let Some(metadata) = ask.wishes.get("metadata") {
        if fits_metadata(metadata) {
            pen.out.raw_at("requestMetadata", metadata);
        } else {
            pen.losses.dropped("metadata");
        }
    }
    if let Some(tier) = ask.wishes.get("service_tier") {
        if matches!(tier, r#""default""# | r#""flex""# | r#""priority""#) {
            pen.out
                .raw_at("serviceTier", &format!(r#"{{"type":{tier}}}"#));
        } else {
            pen.losses.dropped("service_tier");
        }
    }
    Ok(())
}

/// Metadata goes where the account logs its calls, if it is what the API takes: 16 short strings of few characters.
fn fits_metadata(metadata: &str) -> bool {
    let fits = |text: &str| {
        let plain = |c: char| {
            c.is_ascii_alphanumeric() || c.is_ascii_whitespace() || ":_@$#=/+,-.".contains(c)
        };
        text.chars().count() <= 256 && text.chars().all(plain)
    };
    Json::read(metadata).is_ok_and(|json| {
        let root = json.root();
        root.kind() == Kind::Object
            && (1..=16).contains(&root.members().count())
            && root.members().all(|(key, value)| {
                let texts = (key.text(), value.text());
                matches!(texts, (Some(key), Some(value)) if !key.is_empty() && fits(&key) && fits(&value))
            })
    })
}
