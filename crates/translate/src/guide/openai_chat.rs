//! OpenAI chat completions, and the many servers compatible with it.
//!
//! # Requests of a client
//!
//! | OpenAI | what is said |
//! |---|---|
//! | `system`, `developer` messages | instructions, in their place |
//! | `content` | a text, or parts: `text`, `refusal`, `image_url`, `file`, `input_audio`, and those that compatible servers added |
//! | `tool_calls`, `tool` messages | calls and their results; `functions`, `function_call` and the role `function` of old are read as these |
//! | `tools`, `tool_choice` | functions, `custom` tools, `allowed_tools` |
//! | `web_search_options` | a search of the web, where the provider has one |
//! | `reasoning_effort`, `reasoning`, `thinking` | how hard to think; the most exact word wins |
//! | `reasoning_details`, `reasoning_content`, LiteLLM's `thinking_blocks` | thoughts of earlier answers |
//! | `response_format` | the form of the answer; the schema's name goes to OpenAI and Converse, and is reported elsewhere |
//! | `n` over 1, `audio`, `modalities` with sound | refused towards other dialects |
//! | `seed`, penalties, `logprobs`, `logit_bias`, `store`, `metadata`, `prediction`, `verbosity`, … | the provider's word for it, else reported |
//! | `null`, `n: 1`, a penalty of 0 | nothing: that is what happens anyway |
//!
//! # Answers to a client
//!
//! | what the model did | OpenAI |
//! |---|---|
//! | texts | `content`, joined; `null` beside calls where nothing was said |
//! | calls | `tool_calls`; in a stream numbered from 0, named once |
//! | thoughts | `reasoning_content` for reading; `reasoning_details` (`reasoning.text` with `signature`, `reasoning.encrypted`) to be sent back with the history |
//! | a refusal | `refusal` |
//! | citations | `annotations` of type `url_citation` |
//! | stop, length, tool calls, content filter | `finish_reason` `stop`, `length`, `tool_calls`, `content_filter` |
//! | usage | `prompt_tokens` with what was cached, and that again in its details; `completion_tokens` with thinking |
//! | a sign of life | a comment |
//! | a failure in a stream | an error event; nothing follows |
//! | the end | `[DONE]` |
//!
//! # Requests to a provider
//!
//! | what is said | OpenAI |
//! |---|---|
//! | instructions | `system` messages, each in its place |
//! | results of tools | `tool` messages right after the calls, each by its id. What of them is no text stands in a user's message behind the last (`messages.content;moved`) |
//! | a result that is an error | `Error: ` in front of its text (`messages.is_error;changed`) |
//! | ids of calls over 40 characters | the same short one each time |
//! | names of tools that are not of `[a-zA-Z0-9_-]{1,64}` | shortened with a mark of themselves; the answer has them as they were (`tools.name;changed`) |
//! | texts behind calls in one turn | in front of them (`messages.tool_calls;moved`) |
//! | refusals in the history | `refusal` |
//! | thoughts in the history | as the server takes them back: `reasoning_details` to the maker that signed them, `reasoning_content`, parts; else dropped and reported |
//! | files | by their data, or by OpenAI's ids; plain texts as texts (`messages.file;changed`); by an address where the server has that, else refused |
//! | video | where the server takes `video_url`, else refused |
//! | an effort | `reasoning_effort`, no more than the model has |
//! | a budget | the effort by the table below, and reported as changed; a budget where the server has one |
//! | not to think | where the server has a word for it; else unsaid, and reported: models that can do so do so unasked |
//! | a form by a schema | `response_format`; a hidden tool where the server knows no schemas |
//! | `max_tokens` | `max_completion_tokens`, never more than the model has |
//! | a temperature over the server's highest | that, or refused ([`TooHot`](crate::TooHot)) |
//! | more than four stop sequences, several answers, tools that a provider runs | refused |
//! | log probabilities | reported: other dialects have no place for them |
//! | `top_k`, `min_p`, `cache_control`, … | for servers that have them; else reported |
//! | an end user of over 64 characters; metadata without `store` | reported: OpenAI refuses both |
//! | streams | `stream_options.include_usage` is asked for on each |
//!
//! | budget, in tokens | up to 2,048 | up to 8,192 | more |
//! |---|---|---|---|
//! | effort | low | medium | high |
//!
//! # Servers that differ
//!
//! In what a compatible server differs from OpenAI is said in the catalogue, or in a user's own words:
//! [`Quirks`](crate::catalogue::Quirks). They hold for the server's own clients too: what would be refused there is renamed, left out and
//! reported, or refused by name, by splicing; all else passes byte for byte. Where the order of messages is at fault the conversation is
//! written anew, and where the answer must be read otherwise too (a schema by a hidden tool, a `custom` tool as a function) the request is
//! translated as if the caller spoke another dialect.
//!
//! # Answers of a provider
//!
//! Every member is optional. Read are: `reasoning_content`, `reasoning`, `reasoning_details` and thoughts in parts; calls whose number is
//! missing or always 0, whose name comes late, or that come whole; usage in every chunk, in the last, or in one without choices; finish
//! reasons of other families; `citations` and `search_results` as Perplexity has them; chunks without choices; errors in a stream. Of
//! several choices the first is told, the others are declared as dropped. A call whose arguments are no JSON object is left out and declared:
//! nobody can run it. Why an answer finished is told with its end, so that calls that come behind the reason are told before; `stop` with calls
//! waiting is a finish by calls.
