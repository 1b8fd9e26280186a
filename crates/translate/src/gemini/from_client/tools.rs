//! Reading the tools that a request offers.

use bartizan_core::Refusal;
use bartizan_core::json::Value;

use super::super::fields::fields;
use super::schema;
use crate::losses::Losses;
use crate::neutral::{Choice, Raw, Str, Tool, ToolKind, is_empty};
use crate::read::{Place, Unknown, unknown};

/// What the provider runs itself, by our word for it.
const SERVER: &[(&str, &str)] = &[
    ("googleSearch", "web_search"),
    ("googleSearchRetrieval", "web_search"),
    ("codeExecution", "code_execution"),
    ("urlContext", "url_context"),
    ("enterpriseWebSearch", "enterprise_web_search"),
    ("googleMaps", "google_maps"),
    ("fileSearch", "file_search"),
    ("computerUse", "computer_use"),
    ("retrieval", "retrieval"),
    ("mcpServers", "mcp"),
    ("parallelAiSearch", "web_search"),
    ("exaAiSearch", "web_search"),
];

pub(super) fn decode<'a>(
    here: &Place<'_>,
    value: Value<'a>,
    policy: Unknown,
    losses: &mut Losses,
) -> Result<Vec<Tool<'a>>, Refusal> {
    let mut tools = Vec::new();
    for (index, item) in here.items(value)?.into_iter().enumerate() {
        let there = Place::At(here, index);
        for (key, value) in fields(&there, item)? {
            let inside = Place::In(&there, &key);
            if key == "functionDeclarations" {
                for (index, item) in inside.items(value)?.into_iter().enumerate() {
                    tools.push(function(&Place::At(&inside, index), item, policy, losses)?);
                }
            } else if let Some((_, kind)) = SERVER.iter().find(|(theirs, _)| *theirs == key) {
                tools.push(Tool {
                    name: Str::from(*kind),
                    description: None,
                    kind: ToolKind::Server {
                        kind: Str::from(*kind),
                        raw: value,
                    },
                    cache: None,
                });
            } else {
                unknown(&there, policy, losses, &key)?;
            }
        }
    }
    Ok(tools)
}

fn function<'a>(
    here: &Place<'_>,
    value: Value<'a>,
    policy: Unknown,
    losses: &mut Losses,
) -> Result<Tool<'a>, Refusal> {
    let (mut name, mut description, mut schema) = (None, None, None);
    for (key, value) in fields(here, value)? {
        let there = Place::In(here, &key);
        match key.as_ref() {
            "name" => name = Some(there.text(value)?),
            "description" => description = Some(there.text(value)?),
            "parameters" => schema = Some(schema::decode(&there, value, policy, losses)?),
            "parametersJsonSchema" => schema = Some(Raw::Read(there.object(value)?)),
            // What it gives back only nudges the model.
            "response" | "responseJsonSchema" => {
                losses.dropped("tools.functionDeclarations.response");
            }
            "behavior" if value.is("BLOCKING") || value.is("UNSPECIFIED") => {}
            "behavior" => losses.dropped("tools.functionDeclarations.behavior"),
            name => unknown(here, policy, losses, name)?,
        }
    }
    let there = Place::In(here, "name");
    let name = name.filter(|name| !name.is_empty());
    Ok(Tool {
        name: name.ok_or_else(|| there.invalid("needed"))?,
        description,
        kind: ToolKind::Function {
            schema,
            strict: false,
        },
        cache: None,
    })
}

/// `toolConfig`: which functions may or must be called.
pub(super) fn config<'a>(
    here: &Place<'_>,
    value: Value<'a>,
    policy: Unknown,
    losses: &mut Losses,
) -> Result<Choice<'a>, Refusal> {
    let mut choice = Choice::Auto;
    for (key, value) in fields(here, value)? {
        let there = Place::In(here, &key);
        match key.as_ref() {
            "functionCallingConfig" => choice = calling(&there, value, policy, losses)?,
            "retrievalConfig" if is_empty(value) => {}
            "retrievalConfig" => losses.dropped("toolConfig.retrievalConfig"),
            "includeServerSideToolInvocations" => {
                if value.as_bool() != Some(false) {
                    losses.dropped("toolConfig.includeServerSideToolInvocations");
                }
            }
            name => unknown(here, policy, losses, name)?,
        }
    }
    Ok(choice)
}

fn calling<'a>(
    here: &Place<'_>,
    value: Value<'a>,
    policy: Unknown,
    losses: &mut Losses,
) -> Result<Choice<'a>, Refusal> {
    let mut mode = String::new();
    let mut names = Vec::new();
    for (key, value) in fields(here, value)? {
        let there = Place::In(here, &key);
        match key.as_ref() {
            "mode" => mode = there.text(value)?.to_ascii_uppercase(),
            "allowedFunctionNames" => {
                let items = there.items(value)?.into_iter().enumerate();
                let read = items.map(|(index, item)| Place::At(&there, index).text(item));
                names = read.collect::<Result<_, _>>()?;
            }
            "streamFunctionCallArguments" if value.as_bool() == Some(false) => {}
            "streamFunctionCallArguments" => {
                losses.dropped("toolConfig.functionCallingConfig.streamFunctionCallArguments");
            }
            name => unknown(here, policy, losses, name)?,
        }
    }
    let one = names.len() == 1;
    Ok(match mode.as_str() {
        "NONE" => Choice::None,
        "ANY" if one => names.pop().map_or(Choice::Required, Choice::Named),
        "ANY" if names.is_empty() => Choice::Required,
        "ANY" => Choice::Allowed {
            names,
            required: true,
        },
        // Which are allowed is told with these two alone.
        "VALIDATED" if !names.is_empty() => Choice::Allowed {
            names,
            required: false,
        },
        "VALIDATED" => {
            losses.changed("tool_choice");
            Choice::Auto
        }
        "" | "AUTO" | "MODE_UNSPECIFIED" if names.is_empty() => Choice::Auto,
        "" | "AUTO" | "MODE_UNSPECIFIED" => {
            let says = "set mode to ANY or VALIDATED to allow only some functions";
            return Err(Place::In(here, "allowedFunctionNames").invalid(says));
        }
        _ => return Err(Place::In(here, "mode").invalid("AUTO, ANY, NONE or VALIDATED")),
    })
}
