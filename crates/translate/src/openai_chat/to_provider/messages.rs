//! Writing the conversation.

use bartizan_core::Refusal;

use super::Top;
use super::content;
use crate::catalogue::Quirk;
use crate::losses::Losses;
use crate::names::short_id;
use crate::neutral::{Ask, Role};
use crate::neutral::{Block, Maker, Signature, Turn};
use crate::openai_chat::reasoning;
use crate::openai_chat::server::Server;

/// One message that goes out: its own parts in their order.
struct Message<'m, 'a> {
    who: Role,
    turn: &'m Turn<'a>,
    blocks: Vec<&'m Block<'a>>,
    /// What a `tool` message answers.
    answers: Option<&'m Block<'a>>,
}

pub(super) fn write(top: &mut Top<'_, '_>) -> Result<(), Refusal> {
    let ask = top.ask;
    let server = top.server;
    let mut all = messages(ask, server, top.losses);
    if server.has(Quirk::SystemFirst) {
        system_first(&mut all, top.losses);
    }
    if server.has(Quirk::AlternatingRoles) {
        merge(&mut all);
    }
    if server.has(Quirk::AssistantAfterTool) {
        into_results(&mut all, top.losses);
    }
    top.out.open_list();
    for message in &all {
        top.out.open();
        match message.who {
            Role::System => system(top, message)?,
            Role::User => {
                top.out.plain_at("role", "user");
                content::write(top, message.turn, &message.blocks, "")?;
            }
            Role::Tool => result(top, message)?,
            Role::Assistant => assistant(top, message)?,
        }
        top.out.close();
    }
    top.out.close_list();
    if all.is_empty() {
        return Err(ask.invalid("messages", "at least one message with something in it"));
    }
    Ok(())
}

/// Each result is a message of its own, right after the calls; what of them is no text stands in the user's message behind the last.
fn messages<'m, 'a>(
    ask: &'m Ask<'a>,
    server: Server<'_>,
    losses: &mut Losses,
) -> Vec<Message<'m, 'a>> {
    let mut all: Vec<Message<'m, 'a>> = Vec::with_capacity(ask.turns.len());
    let mut shown: Vec<(&Turn<'a>, &Block<'a>)> = Vec::new();
    for turn in &ask.turns {
        let results = || {
            turn.blocks
                .iter()
                .filter(|block| matches!(block, Block::ToolResult { .. }))
        };
        let any = results().next().is_some();
        if !any {
            show(&mut shown, &mut all, losses);
        }
        for block in results() {
            if let Block::ToolResult { blocks, .. } = block
                && !server.takes_media_in_results()
            {
                shown.extend(
                    blocks
                        .iter()
                        .filter(|part| is_media(part))
                        .map(|part| (turn, part)),
                );
            }
            all.push(Message {
                who: Role::Tool,
                turn,
                blocks: Vec::new(),
                answers: Some(block),
            });
        }
        let rest: Vec<&Block<'a>> = turn
            .blocks
            .iter()
            .filter(|block| !matches!(block, Block::ToolResult { .. }))
            .collect();
        if any && rest.is_empty() {
            continue;
        }
        show(&mut shown, &mut all, losses);
        let who = match turn.role {
            Role::Tool => Role::User,
            role => role,
        };
        let goes_on = who == Role::User
            && all
                .last()
                .is_some_and(|last| last.who == Role::User && last.turn.at == turn.at);
        match all.last_mut() {
            Some(last) if goes_on => last.blocks.extend(rest),
            _ => all.push(Message {
                who,
                turn,
                blocks: rest,
                answers: None,
            }),
        }
    }
    show(&mut shown, &mut all, losses);
    all
}

/// What results show goes into a message of the user's.
fn show<'m, 'a>(
    shown: &mut Vec<(&'m Turn<'a>, &'m Block<'a>)>,
    all: &mut Vec<Message<'m, 'a>>,
    losses: &mut Losses,
) {
    let Some((turn, _)) = shown.first().copied() else {
        return;
    };
    losses.moved("messages.content");
    all.push(Message {
        who: Role::User,
        turn,
        blocks: shown.drain(..).map(|(_, block)| block).collect(),
        answers: None,
    });
}

fn is_media(block: &Block<'_>) -> bool {
    matches!(
        block,
        Block::Image { .. } | Block::Document { .. } | Block::Audio { .. } | Block::Video { .. }
    )
}

/// One message of instructions, and that in front.
fn system_first<'m, 'a>(all: &mut Vec<Message<'m, 'a>>, losses: &mut Losses) {
    let inside = all.iter().skip_while(|message| message.who == Role::System);
    if inside.clone().any(|message| message.who == Role::System) {
        losses.moved("messages.system");
    }
    let (system, rest): (Vec<_>, Vec<_>) = all
        .drain(..)
        .partition(|message| message.who == Role::System);
    all.extend(system.into_iter().reduce(|mut first, next| {
        first.blocks.extend(next.blocks);
        first
    }));
    all.extend(rest);
}

/// Neighbours of one role are one message.
fn merge<'m, 'a>(all: &mut Vec<Message<'m, 'a>>) {
    let mut merged: Vec<Message<'m, 'a>> = Vec::with_capacity(all.len());
    for message in all.drain(..) {
        match merged.last_mut() {
            Some(last) if last.who == message.who && message.who != Role::Tool => {
                last.blocks.extend(message.blocks);
            }
            _ => merged.push(message),
        }
    }
    *all = merged;
}

/// What the user says right after results stands in the last of them: no answer of the model's is made up between the two.
fn into_results<'m, 'a>(all: &mut Vec<Message<'m, 'a>>, losses: &mut Losses) {
    let mut after: Vec<Message<'m, 'a>> = Vec::with_capacity(all.len());
    for message in all.drain(..) {
        match after.last_mut() {
            Some(last) if last.who == Role::Tool && message.who == Role::User => {
                losses.moved("messages");
                last.blocks.extend(message.blocks);
            }
            _ => after.push(message),
        }
    }
    *all = after;
}

fn system(top: &mut Top<'_, '_>, message: &Message<'_, '_>) -> Result<(), Refusal> {
    let texts = |block: &&Block<'_>| matches!(block, Block::Text { .. });
    if !message.blocks.iter().all(texts) {
        return Err(top
            .ask
            .unsupported_in(message.turn, "instructions are text only"));
    }
    top.out.plain_at("role", "system");
    content::write(top, message.turn, &message.blocks, "")
}

fn result(top: &mut Top<'_, '_>, message: &Message<'_, '_>) -> Result<(), Refusal> {
    let Some(Block::ToolResult {
        id,
        blocks,
        is_error,
        cache,
        ..
    }) = message.answers
    else {
        return Ok(());
    };
    top.out.plain_at("role", "tool");
    top.out.text_at("tool_call_id", &call_id(top.server, id));
    if cache.is_some() && !top.server.takes("cache_control") {
        top.losses.dropped("cache_control");
    }
    let all = top.server.takes_media_in_results();
    let mut parts: Vec<&Block<'_>> = blocks
        .iter()
        .filter(|block| all || !is_media(block))
        .collect();
    parts.extend(&message.blocks);
    // The API has no other place for it.
    let mark = if *is_error {
        top.losses.changed("messages.is_error");
        "Error: "
    } else {
        ""
    };
    content::write(top, message.turn, &parts, mark)
}

fn assistant(top: &mut Top<'_, '_>, message: &Message<'_, '_>) -> Result<(), Refusal> {
    top.out.plain_at("role", "assistant");
    thoughts(top, message);
    let mut said: Vec<&Block<'_>> = Vec::new();
    let mut refusal = String::new();
    let mut calls: Vec<&Block<'_>> = Vec::new();
    for block in &message.blocks {
        match block {
            Block::ToolUse { .. } => calls.push(block),
            Block::Refusal { text } if !top.server.old_words() => refusal.push_str(text),
            Block::Refusal { .. } => {
                top.losses.changed("messages.refusal");
                said.push(block);
            }
            Block::Thinking { .. } if !top.server.thinks_in_parts() => {}
            Block::Redacted { .. } if top.server.thinks_in_parts() => {
                top.losses.dropped("messages.reasoning_details");
            }
            Block::Redacted { .. } => {}
            Block::Foreign { name } => top.losses.dropped(name),
            Block::ToolResult { .. } => {
                let says = "results of tools come from the user's side";
                return Err(top.ask.unsupported_in(message.turn, says));
            }
            block => {
                if !calls.is_empty() && is_said(block) {
                    // Calls come last here.
                    top.losses.moved("messages.tool_calls");
                }
                said.push(block);
            }
        }
    }
    let speaks = said.iter().any(|block| is_said(block));
    if speaks || calls.is_empty() && refusal.is_empty() {
        content::write(top, message.turn, &said, "")?;
    } else {
        top.out.raw_at("content", "null");
    }
    if !refusal.is_empty() {
        top.out.text_at("refusal", &refusal);
    }
    if !calls.is_empty() {
        top.out.key("tool_calls");
        top.out.open_list();
        for block in calls {
            call(top, block);
        }
        top.out.close_list();
    }
    Ok(())
}

fn is_said(block: &Block<'_>) -> bool {
    !matches!(block, Block::Text { text, .. } if text.is_empty())
}

/// Thoughts go back where the server has a word for them; what one maker signed goes to no other.
fn thoughts(top: &mut Top<'_, '_>, message: &Message<'_, '_>) {
    let server = top.server;
    if server.thinks_in_parts() {
        return;
    }
    let mut words = String::new();
    let mut details = Vec::new();
    for block in &message.blocks {
        match block {
            Block::Thinking {
                text, signature, ..
            } => {
                let theirs = signature
                    .as_ref()
                    .is_none_or(|signature| signature.maker == server.maker());
                if server.takes("reasoning_details") && theirs {
                    details.push(*block);
                } else if server.takes("reasoning_content") {
                    words.push_str(text);
                    if signature.is_some() {
                        top.losses.dropped("messages.reasoning_details");
                    }
                } else {
                    lost(signature.as_ref(), top.losses);
                }
            }
            Block::Redacted { data, .. } => {
                if server.takes("reasoning_details") && data.maker == server.maker() {
                    details.push(*block);
                } else {
                    lost(Some(data), top.losses);
                }
            }
            _ => {}
        }
    }
    if !words.is_empty() {
        top.out.text_at("reasoning_content", &words);
    }
    reasoning::details(details, &mut top.out);
}

fn lost(signature: Option<&Signature<'_>>, losses: &mut Losses) {
    losses.dropped(match signature {
        Some(_) => "messages.reasoning_details",
        None => "messages.reasoning_content",
    });
}

fn call(top: &mut Top<'_, '_>, block: &Block<'_>) {
    let Block::ToolUse {
        id,
        name,
        input,
        custom,
        cache,
        signature,
    } = block
    else {
        return;
    };
    if cache.is_some() {
        top.losses.dropped("cache_control");
    }
    let name = top.names.there(name);
    let (kind, text) = if *custom {
        ("custom", "input")
    } else {
        ("function", "arguments")
    };
    let out = &mut top.out;
    out.open();
    out.text_at("id", &call_id(top.server, id));
    out.plain_at("type", kind);
    out.key(kind);
    out.open();
    out.text_at("name", name);
    out.text_at(text, input);
    out.close();
    match signature {
        Some(signature)
            if signature.maker == Maker::Google && top.server.takes("extra_content") =>
        {
            reasoning::extra_content(signature, out);
        }
        Some(_) => top.losses.dropped("messages.tool_calls.extra_content"),
        None => {}
    }
    top.out.close();
}

fn call_id<'i>(server: Server<'_>, id: &'i str) -> std::borrow::Cow<'i, str> {
    short_id(id, server.call_id())
}
