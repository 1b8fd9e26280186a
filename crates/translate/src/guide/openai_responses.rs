//! OpenAI responses, stateless: each request has its whole conversation in it.
//!
//! # What clients ask
//!
//! | request | becomes |
//! |---|---|
//! | `instructions`, and messages of role `system` or `developer` | instructions, each in its place |
//! | `input`: a string, or items | the conversation; what the model said in one answer (thoughts, a message, calls) is one turn |
//! | `message` parts `input_text`, `output_text`, `refusal`, `input_image`, `input_file`, `input_audio` | the same of a turn; `prompt_cache_breakpoint` is a mark for the cache |
//! | `function_call`, `custom_tool_call`, and their outputs | calls and results, by `call_id` |
//! | `reasoning` | thoughts; `encrypted_content` goes back to whom it is from, byte for byte, by the tag in front of it |
//! | items of tools that OpenAI ran (`web_search_call`, …) | left out, and reported |
//! | other items: `item_reference`, `compaction`, `computer_call`, `shell_call`, approvals, … | refused |
//! | `tools`: `function` | a function; `strict`, where it is unsaid, if its schema is strict already |
//! | `tools`: `custom` | a tool that takes any text |
//! | `tools`: `namespace` | its tools, each by both names put together (`crm__lookup`), which are told apart again in calls |
//! | `tools`: all others | what the provider runs itself, where the target has its like |
//! | `tool_choice`, `allowed_tools`, `parallel_tool_calls` | the same |
//! | `text.format`, `text.verbosity`, `reasoning.effort` | the same |
//! | `reasoning.summary` | thoughts are to be shown |
//! | `previous_response_id`, `conversation`, `prompt`, `background: true` | refused, since nothing is stored: send the whole input |
//! | `store` | `true` is passed to who can store, else reported; unsaid, nothing is stored, and `false` is said back |
//! | `include` | encrypted thoughts are told always; log probabilities are asked for where there is a word for that; the others are reported |
//! | `truncation: auto`, `max_tool_calls` with tools of the provider's, `context_management` | left out, and reported |
//!
//! # What clients get
//!
//! | answer | becomes |
//! |---|---|
//! | text, refusal | parts of one `message`; sources of a text are `url_citation` |
//! | thoughts | `reasoning` with a `summary`, as clients show it; the proof in `encrypted_content`, tagged where it is not OpenAI's. Thoughts in a row of which only the last is proven are parts of one |
//! | the proof on a call (Gemini) | a `reasoning` item right before the call, and so it comes back |
//! | calls | `function_call`, `custom_tool_call`; no arguments are `{}` |
//! | the end: length, content filter | status `incomplete`, and why; any other end is `completed` |
//! | usage | cached and cache-written tokens within `input_tokens`, reasoning within `output_tokens` |
//! | what the provider said and no one here can | declared in the response's `bartizan_dropped` |
//! | an error in a stream | an `error` event |
//!
//! Ids of items are made of the answer's id and the item's place, in the form in which OpenAI takes them back. Members that OpenAI says back
//! of the request are said back. A stream has every event of the protocol, numbered without a gap; calls whose pieces interleave are open at
//! the same time, each at its `output_index`.
//!
//! # What is asked of providers
//!
//! | asked | becomes |
//! |---|---|
//! | instructions that are one text in front | `instructions`; else `system` messages in their places |
//! | texts that the model said in one turn | one message |
//! | thoughts with a proof of OpenAI's | `reasoning` with `encrypted_content`; others are left out, and reported |
//! | results of tools | `function_call_output`; of a failure `Error: ` stands in front, and that is reported |
//! | images, files | by data, address or id; sounds and videos are refused |
//! | ids of calls over 64 characters, names of tools that OpenAI does not take | marks of themselves, and back |
//! | a budget of thoughts | the effort that Anthropic's table has for it, reported as changed |
//! | a web search, chat's `web_search_options` | `web_search`; `blocked_domains` is refused |
//! | `stop`, `n` over 1 | refused |
//! | `top_k`, `seed`, penalties, log probabilities, marks for the cache | left out, and reported |
//! | `store` | `false` unless it was asked for |
//! | members that the server calls otherwise, leaves out or refuses ([`Quirks`](crate::catalogue::Quirks)) | so, by this API's names of members |
//! | of a model that thinks | `include` has `reasoning.encrypted_content`, so that thoughts can go back |
//!
//! # What providers answer
//!
//! Pieces are read where a server sends them and wholes where it does not; items by their place, else by their name. `url_citation` is the
//! source of a text. `reasoning` is told by its summary, its own words, or both. What the provider ran itself is declared as lost and never a
//! call of the client's. `completed` with calls is the end with calls.
