//! Ollama's own chat, as its servers speak it.
//!
//! # Requests
//!
//! | what is said | Ollama |
//! |---|---|
//! | instructions | `system` messages, each in its place |
//! | texts | `content`, which is one string: several are joined by an empty line, and reported |
//! | images | `images`, by their data alone; an address is refused |
//! | documents that are texts | in `content`, and reported; other files, sound, video are refused |
//! | thoughts that nobody signed | `thinking`; what another maker signed is dropped and reported |
//! | calls | `tool_calls`, their arguments as an object |
//! | results of tools | `tool` messages with `tool_name`, by the call of their id. A failed one says so in its text |
//! | `tools` | the same; `strict` is reported |
//! | `tool_choice` none | the tools are withheld |
//! | `tool_choice` required, or of one tool | the server can't be held to it: reported, and only that tool offered |
//! | `parallel_tool_calls: false` | reported |
//! | `response_format` | `format`: `json`, or the schema; refused beside tools, which could then not be called |
//! | `reasoning_effort`, budgets | `think`: yes, no, low, medium, high, max; a budget or another effort the nearest, and reported. Reported for models that don't think |
//! | sampling, `stop`, `max_tokens`, `seed`, penalties | `options`; how long the context is stays the server's to say |
//! | `keep_alive` | the same, where a caller says it in its own dialect |
//!
//! # Answers
//!
//! One JSON value, or in a stream one a line; the last has `done` and the counts.
//!
//! | Ollama | |
//! |---|---|
//! | `content`, `thinking` | text, thoughts |
//! | `tool_calls` | calls; their ids, where the server gives none, are made of the answer's time and their place |
//! | `done_reason` stop, length | stop, length; with calls, tool calls |
//! | `prompt_eval_count`, `eval_count` | the usage |
//! | `{"error": …}` | a failure of the provider's, in a stream too |
