//! The dialects of Google, Amazon, Cohere and Ollama, and of the older and smaller APIs: their texts, facts and events.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails panics"
)]

use Direction::{Event, Reply, Request};
use bartizan_core::{
    Body, Call, Closes, Dialect, Direction, Document, Filter, Filtered, Finish, Flow, Refusal,
    RefusalKind, TextRole, Unseen, Usage,
};

fn read(dialect: Dialect, direction: Direction, text: &str) -> Document {
    Document::read(text, dialect, direction).unwrap_or_else(|fault| panic!("{fault}: {text}"))
}

/// Every text is written as the name of its role, so that the table tells itself what is right.
#[test]
fn texts_are_found_with_their_roles() {
    let table = [
        (
            Dialect::Gemini,
            Request,
            r#"{"systemInstruction":{"role":"user","parts":[{"text":"system"}]},"contents":[
                {"parts":[{"text":"user"},{"inlineData":{"mimeType":"image/png","data":"x","displayName":"file_name"}},{"fileData":{"fileUri":"x"}}],"role":"user"},
                {"role":"model","parts":[{"text":"reasoning","thought":true},{"thought":false,"text":"assistant","thoughtSignature":"x"},
                    {"functionCall":{"id":"x","name":"f","args":{"tool_arguments":["tool_arguments"]}}},
                    {"executableCode":{"language":"PYTHON","code":"tool_arguments"}},{"codeExecutionResult":{"outcome":"OUTCOME_OK","output":"tool_result"}}]},
                {"role":"user","parts":[{"functionResponse":{"name":"f","response":{"tool_result":"tool_result"},"parts":[{"inlineData":{"data":"x"}},{"text":"tool_result"}]}}]},
                {"role":"function","parts":[{"text":"tool_result"}]}],
                "tools":[{"functionDeclarations":[{"name":"f","description":"tool_definition","parameters":{"type":"tool_definition"},"parametersJsonSchema":{"type":"tool_definition"}}]},{"googleSearch":{}}],
                "toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["f"]}},
                "generationConfig":{"stopSequences":["other"],"responseSchema":{"type":"tool_definition"}},"labels":{"metadata":"metadata"},"unheardOf":["other"]}"#,
            21,
        ),
        // A single object may stand for a list of one, as Google's own examples have it.
        (
            Dialect::Gemini,
            Request,
            r#"{"system_instruction":{"parts":{"text":"system"}},"contents":{"parts":{"text":"user"}},"generation_config":{"response_json_schema":{"a":"tool_definition"}}}"#,
            3,
        ),
        (
            Dialect::Gemini,
            Reply,
            r#"{"candidates":[{"content":{"parts":[{"thought":true,"text":"reasoning"},{"text":"assistant"}],"role":"model"},"finishReason":"STOP","finishMessage":"other",
                "groundingMetadata":{"webSearchQueries":["other"]}},{"index":1,"content":{"parts":[{"text":"assistant"}]}}],"modelVersion":"m"}"#,
            5,
        ),
        (
            Dialect::GeminiCountTokens,
            Request,
            r#"{"generateContentRequest":{"model":"models/m","contents":[{"parts":[{"text":"user"}]}],"systemInstruction":{"parts":[{"text":"system"}]}}}"#,
            2,
        ),
        (
            Dialect::GeminiEmbeddings,
            Request,
            r#"{"requests":[{"model":"models/m","content":{"parts":[{"text":"input"}]},"title":"input"},{"content":{"role":"user","parts":[{"text":"input"}]}}]}"#,
            3,
        ),
        (
            Dialect::BedrockConverse,
            Request,
            r#"{"system":[{"text":"system"},{"cachePoint":{"type":"default"}},{"guardContent":{"text":{"text":"system"}}}],"messages":[
                {"role":"user","content":[{"text":"user"},{"image":{"format":"png","source":{"bytes":"x"}}},
                    {"document":{"format":"pdf","name":"file_name","context":"user","source":{"text":"user"}}}]},
                {"role":"assistant","content":[{"reasoningContent":{"reasoningText":{"text":"reasoning","signature":"x"}}},{"text":"assistant"},
                    {"toolUse":{"toolUseId":"x","name":"f","input":{"tool_arguments":"tool_arguments"}}},{"citationsContent":{"content":[{"text":"assistant"}],"citations":[{"title":"other"}]}}]},
                {"role":"user","content":[{"toolResult":{"toolUseId":"x","status":"success","content":[{"text":"tool_result"},{"json":{"tool_result":1}},
                    {"searchResult":{"source":"tool_result","title":"file_name","content":[{"text":"tool_result"}]}}]}}]}],
                "toolConfig":{"tools":[{"toolSpec":{"name":"f","description":"tool_definition","inputSchema":{"json":{"type":"tool_definition"}}}}],"toolChoice":{"auto":{}}},
                "inferenceConfig":{"stopSequences":["other"]},"requestMetadata":{"metadata":"metadata"},"promptVariables":{"x":{"text":"user"}}}"#,
            23,
        ),
        (
            Dialect::BedrockConverse,
            Reply,
            r#"{"output":{"message":{"role":"assistant","content":[{"text":"assistant"},{"reasoningContent":{"reasoningText":{"text":"reasoning"}}}]}},"stopReason":"end_turn"}"#,
            2,
        ),
        (
            Dialect::CohereChat,
            Request,
            r#"{"model":"m","messages":[{"role":"system","content":"system"},{"role":"user","content":[{"type":"text","text":"user"},{"type":"image_url","image_url":{"url":"x"}}]},
                {"role":"assistant","tool_plan":"reasoning","content":[{"type":"thinking","thinking":"reasoning"},{"type":"text","text":"assistant"}],
                    "tool_calls":[{"id":"x","type":"function","function":{"name":"f","arguments":"{\"tool_arguments\":1}"}}]},
                {"role":"tool","tool_call_id":"x","content":[{"type":"document","document":{"id":"file_name","data":{"tool_result":"tool_result"}}}]}],
                "documents":["tool_result",{"id":"file_name","data":"tool_result"}],
                "tools":[{"type":"function","function":{"name":"f","description":"tool_definition","parameters":{"type":"tool_definition"}}}],"stop_sequences":["other"]}"#,
            15,
        ),
        (
            Dialect::CohereChat,
            Reply,
            r#"{"id":"x","message":{"role":"assistant","content":[{"type":"text","text":"assistant"}],"tool_plan":"reasoning"},"finish_reason":"COMPLETE"}"#,
            2,
        ),
        (
            Dialect::CohereEmbed,
            Request,
            r#"{"model":"m","texts":["input"],"inputs":[{"content":[{"type":"text","text":"input"},{"type":"image_url","image_url":{"url":"x"}}]}]}"#,
            2,
        ),
        (
            Dialect::CohereRerank,
            Request,
            r#"{"model":"m","query":"input","documents":["input",{"text":"input"}]}"#,
            3,
        ),
        (
            Dialect::OllamaChat,
            Request,
            r#"{"model":"m","messages":[{"role":"system","content":"system"},{"role":"user","content":"user","images":["x"]},
                {"role":"assistant","content":"assistant","thinking":"reasoning","tool_calls":[{"function":{"name":"f","arguments":{"tool_arguments":"tool_arguments"}}}]},
                {"role":"tool","tool_name":"f","content":"tool_result"}],"format":{"type":"tool_definition"},"options":{"stop":["other"]}}"#,
            9,
        ),
        (
            Dialect::OllamaEmbed,
            Request,
            r#"{"model":"m","input":["input","input"]}"#,
            2,
        ),
        (
            Dialect::OpenAiCompletions,
            Request,
            r#"{"model":"m","prompt":["user","user"],"suffix":"user","user":"end_user","stop":"other"}"#,
            5,
        ),
        (
            Dialect::OpenAiCompletions,
            Reply,
            r#"{"choices":[{"index":0,"text":"assistant","logprobs":null,"finish_reason":"stop"}]}"#,
            1,
        ),
        (
            Dialect::OpenAiModerations,
            Request,
            r#"{"model":"m","input":[{"type":"text","text":"input"},{"type":"image_url","image_url":{"url":"x"}}]}"#,
            1,
        ),
        (
            Dialect::OpenAiModerations,
            Request,
            r#"{"input":["input","input"]}"#,
            2,
        ),
        (
            Dialect::VertexPredict,
            Request,
            r#"{"instances":[{"content":"input","title":"input","task_type":"x"}]}"#,
            2,
        ),
        (
            Dialect::AmazonEmbed,
            Request,
            r#"{"inputText":"input","dimensions":512}"#,
            1,
        ),
        (
            Dialect::AmazonEmbed,
            Request,
            r#"{"taskType":"SINGLE_EMBEDDING","singleEmbeddingParams":{"embeddingPurpose":"GENERIC_INDEX","text":{"truncationMode":"END","value":"input"}}}"#,
            1,
        ),
        (
            Dialect::TeiRerank,
            Request,
            r#"{"query":"input","texts":["input","input"]}"#,
            3,
        ),
        (
            Dialect::TeiRerank,
            Reply,
            r#"[{"index":0,"score":0.5,"text":"input"}]"#,
            1,
        ),
        (
            Dialect::AnthropicCountTokens,
            Request,
            r#"{"model":"m","system":"system","messages":[{"role":"user","content":"user"}]}"#,
            2,
        ),
    ];
    for (dialect, direction, text, count) in table {
        let document = read(dialect, direction, text);
        let found: Vec<_> = document
            .texts()
            .map(|text| (text.as_str().to_owned(), text.role().as_str()))
            .collect();
        for (says, role) in &found {
            assert_eq!(says, role, "{text}");
        }
        assert_eq!(found.len(), count, "{text}: {found:?}");
        assert_eq!(document.unseen(), [], "{text}");
        assert!(document.texts().all(|text| !text.is_delta()), "{text}");
    }
}

#[test]
fn events_tell_their_pieces_and_how_the_stream_stands() {
    // The pieces: role, group and part, and text; what else is said; how it ends.
    type Row = (
        Dialect,
        &'static str,
        &'static [(TextRole, &'static str)],
        Option<Finish>,
        Closes,
        bool,
        bool,
    );
    use Finish::{ContentFilter, Length, Stop, ToolCalls};
    use TextRole::{Assistant, Reasoning, ToolArguments};
    let table: &[Row] = &[
        (
            Dialect::Gemini,
            r#"{"candidates":[{"content":{"parts":[{"text":"t","thought":true},{"text":"a"},{"text":"b"}],"role":"model"},"index":0}],"usageMetadata":{"trafficType":"ON_DEMAND"}}"#,
            &[(Reasoning, "t"), (Assistant, "a"), (Assistant, "b")],
            None,
            Closes::Nothing,
            false,
            false,
        ),
        (
            Dialect::Gemini,
            r#"{"candidates":[{"content":{"parts":[{"text":"a"}],"role":"model"},"finishReason":"MAX_TOKENS","index":2}]}"#,
            &[(Assistant, "a")],
            Some(Length),
            Closes::Group(2),
            true,
            false,
        ),
        // One of two candidates goes on.
        (
            Dialect::Gemini,
            r#"{"candidates":[{"content":{},"finishReason":"STOP"},{"index":1,"content":{"parts":[{"text":"a"}]}}]}"#,
            &[(Assistant, "a")],
            Some(Stop),
            Closes::Group(0),
            false,
            false,
        ),
        (
            Dialect::Gemini,
            r#"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{}}}]},"finishReason":"STOP"}]}"#,
            &[],
            Some(ToolCalls),
            Closes::Group(0),
            true,
            false,
        ),
        // A call parts two texts, and says nothing of the end.
        (
            Dialect::Gemini,
            r#"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f"}}]}}]}"#,
            &[],
            None,
            Closes::Group(0),
            false,
            false,
        ),
        (
            Dialect::Gemini,
            r#"{"candidates":[{"finishReason":"PROHIBITED_CONTENT"}]}"#,
            &[],
            Some(ContentFilter),
            Closes::Group(0),
            true,
            false,
        ),
        (
            Dialect::Gemini,
            r#"{"promptFeedback":{"blockReason":"SAFETY"},"usageMetadata":{"promptTokenCount":4}}"#,
            &[],
            Some(ContentFilter),
            Closes::All,
            true,
            false,
        ),
        (
            Dialect::Gemini,
            r#"{"error":{"code":503,"message":"x","status":"UNAVAILABLE"}}"#,
            &[],
            None,
            Closes::All,
            false,
            true,
        ),
        (
            Dialect::BedrockConverse,
            r#"{"messageStart":{"role":"assistant","p":"abc"}}"#,
            &[],
            None,
            Closes::Nothing,
            false,
            false,
        ),
        (
            Dialect::BedrockConverse,
            r#"{"contentBlockDelta":{"contentBlockIndex":1,"delta":{"text":"a"},"p":"abc"}}"#,
            &[(Assistant, "a")],
            None,
            Closes::Nothing,
            false,
            false,
        ),
        (
            Dialect::BedrockConverse,
            r#"{"contentBlockDelta":{"contentBlockIndex":1,"delta":{"toolUse":{"input":"{\"a\""}}}}"#,
            &[(ToolArguments, "{\"a\"")],
            None,
            Closes::Nothing,
            false,
            false,
        ),
        (
            Dialect::BedrockConverse,
            r#"{"contentBlockDelta":{"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"t"}}}}"#,
            &[(Reasoning, "t")],
            None,
            Closes::Nothing,
            false,
            false,
        ),
        (
            Dialect::BedrockConverse,
            r#"{"contentBlockStop":{"contentBlockIndex":3}}"#,
            &[],
            None,
            Closes::Part(0, 3),
            false,
            false,
        ),
        (
            Dialect::BedrockConverse,
            r#"{"messageStop":{"stopReason":"guardrail_intervened"}}"#,
            &[],
            Some(ContentFilter),
            Closes::All,
            false,
            false,
        ),
        (
            Dialect::BedrockConverse,
            r#"{"metadata":{"usage":{"inputTokens":1,"outputTokens":1,"totalTokens":2}}}"#,
            &[],
            None,
            Closes::All,
            true,
            false,
        ),
        (
            Dialect::BedrockConverse,
            r#"{"throttlingException":{"message":"x"}}"#,
            &[],
            None,
            Closes::All,
            false,
            true,
        ),
        (
            Dialect::CohereChat,
            r#"{"type":"content-delta","index":1,"delta":{"message":{"content":{"thinking":"t"}}}}"#,
            &[(Reasoning, "t")],
            None,
            Closes::Nothing,
            false,
            false,
        ),
        (
            Dialect::CohereChat,
            r#"{"type":"tool-plan-delta","delta":{"message":{"tool_plan":"t"}}}"#,
            &[(Reasoning, "t")],
            None,
            Closes::Nothing,
            false,
            false,
        ),
        (
            Dialect::CohereChat,
            r#"{"type":"tool-call-delta","index":1,"delta":{"message":{"tool_calls":{"function":{"arguments":"{"}}}}}"#,
            &[(ToolArguments, "{")],
            None,
            Closes::Nothing,
            false,
            false,
        ),
        (
            Dialect::CohereChat,
            r#"{"type":"content-end","index":1}"#,
            &[],
            None,
            Closes::Part(0, 1),
            false,
            false,
        ),
        (
            Dialect::CohereChat,
            r#"{"type":"message-end","delta":{"finish_reason":"TOOL_CALL","usage":{}}}"#,
            &[],
            Some(ToolCalls),
            Closes::All,
            true,
            false,
        ),
        (
            Dialect::CohereChat,
            r#"{"type":"message-end","delta":{"finish_reason":"ERROR","error":"x"}}"#,
            &[],
            Some(Finish::Other),
            Closes::All,
            true,
            true,
        ),
        (
            Dialect::CohereChat,
            r#"{"message":"too many requests"}"#,
            &[],
            None,
            Closes::Nothing,
            false,
            true,
        ),
        (
            Dialect::OllamaChat,
            r#"{"model":"m","message":{"role":"assistant","content":"a","thinking":"t"},"done":false}"#,
            &[(Assistant, "a"), (Reasoning, "t")],
            None,
            Closes::Nothing,
            false,
            false,
        ),
        (
            Dialect::OllamaChat,
            r#"{"model":"m","message":{"role":"assistant","content":""},"done":true,"done_reason":"length","eval_count":3}"#,
            &[(Assistant, "")],
            Some(Length),
            Closes::All,
            true,
            false,
        ),
        (
            Dialect::OllamaChat,
            r#"{"error":"model runner has stopped"}"#,
            &[],
            None,
            Closes::All,
            false,
            true,
        ),
        (
            Dialect::OpenAiCompletions,
            r#"{"choices":[{"index":1,"text":"a","finish_reason":"length"}]}"#,
            &[(Assistant, "a")],
            Some(Length),
            Closes::Group(1),
            false,
            false,
        ),
    ];
    for (dialect, text, pieces, finish, closes, terminal, error) in table {
        let document = read(*dialect, Event, text);
        let found: Vec<_> = document
            .texts()
            .filter(|text| text.is_delta())
            .map(|text| (text.role(), text.as_str().to_owned()))
            .collect();
        let wanted: Vec<_> = pieces
            .iter()
            .map(|(role, text)| (*role, (*text).to_owned()))
            .collect();
        assert_eq!(found, wanted, "{text}");
        let facts = document.facts();
        assert_eq!(
            (facts.finish, facts.closes, facts.terminal, facts.error),
            (*finish, *closes, *terminal, *error),
            "{text}"
        );
        assert_eq!(document.unseen(), [], "{text}");
    }
}

#[test]
fn an_answer_says_why_it_ended_and_never_that_a_stream_did() {
    let text = r#"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f"}}]},"finishReason":"STOP"}]}"#;
    let document = read(Dialect::Gemini, Reply, text);
    let facts = document.facts();
    assert_eq!(
        (facts.finish, facts.closes, facts.terminal),
        (Some(Finish::ToolCalls), Closes::Nothing, false)
    );
    // Without `alt=sse` a stream is an array, and so is its error.
    let array = read(
        Dialect::Gemini,
        Reply,
        r#"[{"error":{"code":429,"message":"x","status":"RESOURCE_EXHAUSTED"}}]"#,
    );
    assert!(array.facts().error);
}

#[test]
fn token_classes_are_disjoint_whatever_the_provider_nests() {
    let table = [
        (
            Dialect::Gemini,
            r#"{"usageMetadata":{"promptTokenCount":100,"cachedContentTokenCount":40,"candidatesTokenCount":30,"thoughtsTokenCount":20,"toolUsePromptTokenCount":7,"totalTokenCount":157,
                "promptTokensDetails":[{"modality":"TEXT","tokenCount":60},{"modality":"AUDIO","tokenCount":40}],"cacheTokensDetails":[{"modality":"AUDIO","tokenCount":25},{"modality":"TEXT","tokenCount":15}],
                "candidatesTokensDetails":[{"modality":"AUDIO","tokenCount":10}]}}"#,
            Some(Usage {
                input: 52,
                cached_input: 40,
                audio_input: 15,
                output: 20,
                audio_output: 10,
                reasoning: 20,
                ..Usage::default()
            }),
            157,
        ),
        (
            Dialect::Gemini,
            r#"{"usageMetadata":{"trafficType":"ON_DEMAND"}}"#,
            None,
            0,
        ),
        (
            Dialect::BedrockConverse,
            r#"{"usage":{"inputTokens":10,"outputTokens":5,"cacheReadInputTokens":20,"cacheWriteInputTokens":30,"totalTokens":65}}"#,
            Some(Usage {
                input: 10,
                cached_input: 20,
                cache_write: 30,
                output: 5,
                ..Usage::default()
            }),
            65,
        ),
        (
            Dialect::CohereChat,
            r#"{"usage":{"billed_units":{"input_tokens":65,"output_tokens":63},"tokens":{"input_tokens":508,"output_tokens":86,"reasoning_tokens":28,"image_tokens":10},"cached_tokens":144}}"#,
            Some(Usage {
                input: 374,
                cached_input: 144,
                output: 58,
                reasoning: 28,
                ..Usage::default()
            }),
            604,
        ),
        (
            Dialect::CohereChat,
            r#"{"usage":{"billed_units":{"input_tokens":65,"output_tokens":63}}}"#,
            Some(Usage {
                input: 65,
                output: 63,
                ..Usage::default()
            }),
            128,
        ),
        (
            Dialect::CohereEmbed,
            r#"{"meta":{"billed_units":{"input_tokens":7,"image_tokens":3}}}"#,
            Some(Usage {
                input: 10,
                ..Usage::default()
            }),
            10,
        ),
        // Searches are no tokens.
        (
            Dialect::CohereRerank,
            r#"{"results":[],"meta":{"billed_units":{"search_units":1}}}"#,
            None,
            0,
        ),
        (
            Dialect::CohereRerank,
            r#"{"results":[],"usage":{"total_tokens":17}}"#,
            Some(Usage {
                input: 17,
                ..Usage::default()
            }),
            17,
        ),
        (
            Dialect::OllamaChat,
            r#"{"done":true,"prompt_eval_count":11,"eval_count":18}"#,
            Some(Usage {
                input: 11,
                output: 18,
                ..Usage::default()
            }),
            29,
        ),
        (
            Dialect::OllamaEmbed,
            r#"{"embeddings":[[0.1]],"prompt_eval_count":11}"#,
            Some(Usage {
                input: 11,
                ..Usage::default()
            }),
            11,
        ),
        (
            Dialect::OpenAiCompletions,
            r#"{"usage":{"prompt_tokens":31,"completion_tokens":25,"total_tokens":56}}"#,
            Some(Usage {
                input: 31,
                output: 25,
                ..Usage::default()
            }),
            56,
        ),
        (
            Dialect::VertexPredict,
            r#"{"predictions":[{"embeddings":{"statistics":{"token_count":4}}},{"embeddings":{"statistics":{"token_count":5}}}]}"#,
            Some(Usage {
                input: 9,
                ..Usage::default()
            }),
            9,
        ),
        (
            Dialect::AmazonEmbed,
            r#"{"embedding":[0.1],"inputTextTokenCount":7}"#,
            Some(Usage {
                input: 7,
                ..Usage::default()
            }),
            7,
        ),
        // To count what a request would cost costs nothing.
        (
            Dialect::AnthropicCountTokens,
            r#"{"input_tokens":14}"#,
            Some(Usage::default()),
            0,
        ),
        (
            Dialect::GeminiCountTokens,
            r#"{"totalTokens":8}"#,
            Some(Usage::default()),
            0,
        ),
    ];
    for (dialect, text, usage, total) in table {
        let document = read(dialect, Reply, text);
        assert_eq!(document.facts().usage, usage, "{text}");
        assert_eq!(usage.unwrap_or_default().total(), total, "{text}");
    }
}

#[test]
fn a_part_that_nobody_knows_is_reported_where_its_members_tell_what_it_is() {
    for (dialect, direction, text, place) in [
        (
            Dialect::Gemini,
            Request,
            r#"{"contents":[{"parts":[{"hologram":{"x":"secret"}}]}]}"#,
            "parts",
        ),
        (
            Dialect::BedrockConverse,
            Request,
            r#"{"messages":[{"role":"user","content":[{"hologram":{"x":"secret"}}]}]}"#,
            "content",
        ),
        (
            Dialect::BedrockConverse,
            Event,
            r#"{"hologramDelta":{"x":"secret"}}"#,
            "document",
        ),
        (
            Dialect::CohereChat,
            Request,
            r#"{"messages":[{"role":"user","content":[{"type":"hologram","x":"secret"}]}]}"#,
            "content",
        ),
        (
            Dialect::OpenAiModerations,
            Request,
            r#"{"input":[{"type":"hologram","x":"secret"}]}"#,
            "input",
        ),
    ] {
        let document = read(dialect, direction, text);
        let places: Vec<_> = document.unseen().iter().map(Unseen::place).collect();
        assert_eq!(places, [place], "{text}");
        assert!(
            document
                .texts()
                .any(|text| text.as_str() == "secret" && text.role() == TextRole::Other)
        );
    }
}

#[test]
fn tokens_in_the_place_of_a_prompt_are_reported() {
    for (prompt, unseen) in [
        (r#""words""#, 0),
        (r#"["words 1","2"]"#, 0),
        ("[]", 0),
        ("[755,4382]", 1),
        ("[[755],[4382]]", 1),
        (r#"["words",[755]]"#, 1),
        (r#"["words",755]"#, 1),
    ] {
        let request = format!(r#"{{"model":"m","prompt":{prompt}}}"#);
        let document = read(Dialect::OpenAiCompletions, Request, &request);
        assert_eq!(document.unseen().len(), unseen, "{request}");
        let request = format!(r#"{{"model":"m","input":{prompt}}}"#);
        let document = read(Dialect::OpenAiEmbeddings, Request, &request);
        assert_eq!(document.unseen().len(), unseen, "{request}");
    }
}

#[test]
fn a_key_that_differs_from_a_known_one_by_case_alone_is_refused() {
    for (dialect, text) in [
        (Dialect::Gemini, r#"{"Contents":[]}"#),
        (Dialect::Gemini, r#"{"systeminstruction":{}}"#),
        (
            Dialect::Gemini,
            r#"{"contents":[{"parts":[{"FunctionCall":{}}]}]}"#,
        ),
        (Dialect::BedrockConverse, r#"{"inferenceconfig":{}}"#),
        (Dialect::OllamaChat, r#"{"Messages":[]}"#),
    ] {
        assert!(Document::read(text, dialect, Request).is_err(), "{text}");
    }
    // Google takes both spellings of a name, and AWS sends both.
    for (dialect, direction, text) in [
        (
            Dialect::Gemini,
            Request,
            r#"{"generationConfig":{},"safety_settings":[]}"#,
        ),
        (Dialect::BedrockConverse, Reply, r#"{"Message":"x"}"#),
    ] {
        assert!(Document::read(text, dialect, direction).is_ok(), "{text}");
    }
}

#[test]
fn facts_of_requests_are_read() {
    let facts = |dialect, text: &str| read(dialect, Request, text).facts().clone();
    let gemini = facts(
        Dialect::Gemini,
        r#"{"generationConfig":{"candidateCount":3,"maxOutputTokens":9},"generation_config":{"max_output_tokens":11}}"#,
    );
    assert_eq!(
        (gemini.choices, gemini.max_output_tokens),
        (Some(3), Some(11))
    );
    let bedrock = facts(
        Dialect::BedrockConverse,
        r#"{"inferenceConfig":{"maxTokens":9}}"#,
    );
    assert_eq!(bedrock.max_output_tokens, Some(9));
    // Ollama streams unless it is told not to, and takes negative numbers for no limit.
    for (text, stream, most) in [
        (r#"{"model":"m"}"#, true, None),
        (r#"{"model":"m","stream":null}"#, true, None),
        (
            r#"{"model":"m","stream":false,"options":{"num_predict":5}}"#,
            false,
            Some(5),
        ),
        (
            r#"{"model":"m","stream":true,"options":{"num_predict":-1}}"#,
            true,
            None,
        ),
    ] {
        let ollama = facts(Dialect::OllamaChat, text);
        assert_eq!(
            (ollama.stream, ollama.max_output_tokens),
            (stream, most),
            "{text}"
        );
    }
    let completions = facts(
        Dialect::OpenAiCompletions,
        r#"{"model":"m","n":2,"best_of":4,"stream":true,"user":"u"}"#,
    );
    assert_eq!(
        (completions.choices, completions.end_user.as_deref()),
        (Some(4), Some("u"))
    );
}

/// Remembers nothing: says in a refusal what it read.
struct Tell;

impl Filter for Tell {
    const NAME: &'static str = "tell";
    type Tap = ();

    async fn request(&self, call: &mut Call) -> Result<Flow<()>, Refusal> {
        let dialect = call.dialect().as_str();
        let facts = match call.document().await? {
            Some(document) => document.facts().clone(),
            None => return Ok(Flow::Pass(())),
        };
        let model = facts.model.unwrap_or_default();
        let words = format!("{dialect} {model} {}", facts.stream);
        Err(Refusal::new(RefusalKind::BadRequest, "told", words))
    }
}

async fn told(path: &str) -> Option<String> {
    use tower::ServiceExt;
    let service = tower::service_fn(|_: http::Request<Body>| async {
        Ok::<_, std::convert::Infallible>(http::Response::new(Body::empty()))
    });
    let request = http::Request::post(path)
        .body(Body::from(r#"{"model":"other"}"#))
        .unwrap();
    let response = Filtered::new(service, std::sync::Arc::new(Tell))
        .oneshot(request)
        .await
        .unwrap();
    response
        .extensions()
        .get::<Refusal>()
        .map(|refusal| refusal.message().to_owned())
}

#[tokio::test]
async fn dialect_model_and_streaming_are_read_from_the_path() {
    for (path, wanted) in [
        (
            "/v1beta/models/gemini-2.5-flash:generateContent",
            Some("gemini gemini-2.5-flash false"),
        ),
        (
            "/v1/models/gemini-2.5-flash:streamGenerateContent?alt=sse",
            Some("gemini gemini-2.5-flash true"),
        ),
        (
            "/google/v1beta/models/gemini-2.5-flash:generateContent/",
            Some("gemini gemini-2.5-flash false"),
        ),
        (
            "/v1beta1/projects/p/locations/l/publishers/google/models/x:generateContent",
            Some("gemini x false"),
        ),
        (
            "/v1/publishers/meta/models/llama:streamGenerateContent",
            Some("gemini meta/llama true"),
        ),
        (
            "/v1beta/tunedModels/x:generateContent",
            Some("gemini tunedModels/x false"),
        ),
        (
            "/v1/projects/p/locations/l/endpoints/123:generateContent",
            Some("gemini endpoints/123 false"),
        ),
        (
            "/v1beta/models/x:countTokens",
            Some("gemini_count_tokens x false"),
        ),
        (
            "/v1beta/models/x:embedContent",
            Some("gemini_embeddings x false"),
        ),
        (
            "/v1beta/models/x:batchEmbedContents",
            Some("gemini_embeddings x false"),
        ),
        // However it is spelled, a server may read it.
        (
            "/v1beta/models/ge%6Dini%3AgenerateContent",
            Some("gemini gemini false"),
        ),
        (
            "/v1beta/models/a%2F..%2Fb:generateContent",
            Some("gemini a/../b false"),
        ),
        // Names of other gateways have slashes in them, encoded or not.
        (
            "/v1beta/models/openrouter/google/x:generateContent",
            Some("gemini openrouter/google/x false"),
        ),
        (
            "/v1beta/models/fireworks_ai/accounts/fireworks/models/x:generateContent",
            Some("gemini fireworks_ai/accounts/fireworks/models/x false"),
        ),
        (
            "/v1beta/models/openrouter%2Fgoogle%2Fx:generateContent",
            Some("gemini openrouter/google/x false"),
        ),
        (
            "/v1beta/models/ollama/llama3:8b:streamGenerateContent",
            Some("gemini ollama/llama3:8b true"),
        ),
        (
            "/v1beta/%6Dodels/x:generate%43ontent",
            Some("gemini x false"),
        ),
        (
            "/model/us.anthropic.claude%3A0/converse",
            Some("bedrock_converse us.anthropic.claude:0 false"),
        ),
        (
            "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ainference-profile%2Fx/converse-stream",
            Some("bedrock_converse arn:aws:bedrock:us-east-1:1:inference-profile/x true"),
        ),
        ("/v1/completions", Some("openai_completions other false")),
        ("/v1/chat/completions", Some("openai_chat other false")),
        ("/v1/chat/completion%73", Some("openai_chat other false")),
        ("/v1/moderations", Some("openai_moderations other false")),
        (
            "/v1/messages/count_tokens",
            Some("anthropic_count_tokens other false"),
        ),
        ("/v2/chat", Some("cohere_chat other false")),
        ("/v2/embed", Some("cohere_embed other false")),
        ("/rerank", Some("cohere_rerank other false")),
        ("/v2/rerank", Some("cohere_rerank other false")),
        ("/api/chat", Some("ollama_chat other true")),
        ("/api/embed", Some("ollama_embed other false")),
        // What only looks like one.
        ("/converse", None),
        ("/v1/converse", None),
        ("/model/converse", None),
        ("/model//converse", None),
        ("/models/x/converse", None),
        ("/model/x/converse/again", None),
        ("/model/x%2Fconverse", None),
        ("/v1beta/models/:generateContent", None),
        ("/v1beta/files/x:generateContent", None),
        ("/v1beta/models//x:generateContent", None),
        ("/v1beta/xmodels/x:generateContent", None),
        ("/v1beta/models/x:generateContent/y", None),
        ("/v1beta/models%2Fx:generateContent", None),
        ("/v1beta/models/x:generateContentX", None),
        ("/v1/chat", None),
        ("/v1/xcompletions", None),
        ("/v1/chat%2Fcompletions", None),
    ] {
        assert_eq!(told(path).await.as_deref(), wanted, "{path}");
    }
}

#[test]
fn refusals_speak_every_dialect() {
    let refusal = Refusal::new(RefusalKind::RateLimited, "some_code", "say \"no\"")
        .param("contents[0]")
        .retry_after(std::time::Duration::from_millis(1_500));
    let body = |dialect| serde_json::from_str::<serde_json::Value>(&refusal.body(dialect)).unwrap();
    let event = |dialect| {
        let event = refusal.event(dialect);
        let data = serde_json::from_str::<serde_json::Value>(event.data().unwrap()).unwrap();
        (event.name().map(str::to_owned), data)
    };
    for dialect in [
        Dialect::Gemini,
        Dialect::GeminiCountTokens,
        Dialect::GeminiEmbeddings,
    ] {
        let error = &body(dialect)["error"];
        assert_eq!(error["code"], 429);
        assert_eq!(error["status"], "RESOURCE_EXHAUSTED");
        assert_eq!(error["message"], "say \"no\"");
        assert_eq!(error["details"][0]["reason"], "some_code");
        assert_eq!(
            error["details"][1]["fieldViolations"][0]["field"],
            "contents[0]"
        );
        assert_eq!(error["details"][2]["retryDelay"], "2s");
    }
    assert_eq!(event(Dialect::Gemini), (None, body(Dialect::Gemini)));
    for dialect in [
        Dialect::CohereChat,
        Dialect::CohereEmbed,
        Dialect::CohereRerank,
    ] {
        assert_eq!(body(dialect)["message"], "say \"no\"");
        assert_eq!(body(dialect)["error_type"], "some_code");
    }
    let (name, data) = event(Dialect::CohereChat);
    assert_eq!(name.as_deref(), Some("message-end"));
    assert_eq!(data["delta"]["finish_reason"], "ERROR");
    assert_eq!(data["delta"]["error"], "say \"no\"");
    assert_eq!(body(Dialect::OllamaChat)["error"], "say \"no\"");
    assert_eq!(
        event(Dialect::OllamaChat),
        (None, body(Dialect::OllamaChat))
    );
    assert_eq!(
        refusal.render(Dialect::BedrockConverse).headers()["x-amzn-errortype"],
        "ThrottlingException"
    );
    let (name, data) = event(Dialect::BedrockConverse);
    assert_eq!(name.as_deref(), Some("throttlingException"));
    assert_eq!(data["throttlingException"]["message"], "say \"no\"");
    assert_eq!(
        body(Dialect::AnthropicCountTokens),
        body(Dialect::AnthropicMessages)
    );
    assert_eq!(
        body(Dialect::OpenAiModerations),
        body(Dialect::OpenAiCompletions)
    );

    // What one dialect says of an error, its own tables read as one.
    for dialect in [
        Dialect::OpenAiCompletions,
        Dialect::OpenAiModerations,
        Dialect::AnthropicCountTokens,
        Dialect::Gemini,
        Dialect::GeminiCountTokens,
        Dialect::GeminiEmbeddings,
        Dialect::BedrockConverse,
        Dialect::CohereChat,
        Dialect::CohereEmbed,
        Dialect::CohereRerank,
        Dialect::OllamaChat,
        Dialect::OllamaEmbed,
        Dialect::VertexPredict,
        Dialect::AmazonEmbed,
        Dialect::TeiRerank,
        Dialect::MistralModerations,
    ] {
        assert!(
            read(dialect, Reply, &refusal.body(dialect)).facts().error,
            "{dialect:?}"
        );
        let event = refusal.event(dialect);
        assert!(
            read(dialect, Event, event.data().unwrap()).facts().error,
            "{dialect:?}"
        );
    }
}

#[test]
fn every_kind_has_its_names() {
    let table = [
        (
            RefusalKind::BadRequest,
            400,
            "INVALID_ARGUMENT",
            "ValidationException",
        ),
        (
            RefusalKind::Unauthorized,
            401,
            "UNAUTHENTICATED",
            "UnrecognizedClientException",
        ),
        (
            RefusalKind::Forbidden,
            403,
            "PERMISSION_DENIED",
            "AccessDeniedException",
        ),
        (
            RefusalKind::Blocked,
            403,
            "PERMISSION_DENIED",
            "AccessDeniedException",
        ),
        (
            RefusalKind::NotFound,
            404,
            "NOT_FOUND",
            "ResourceNotFoundException",
        ),
        (
            RefusalKind::MethodNotAllowed,
            405,
            "UNIMPLEMENTED",
            "ValidationException",
        ),
        (
            RefusalKind::Timeout,
            408,
            "DEADLINE_EXCEEDED",
            "ModelTimeoutException",
        ),
        (
            RefusalKind::TooLarge,
            413,
            "INVALID_ARGUMENT",
            "ValidationException",
        ),
        (
            RefusalKind::UnsupportedMedia,
            415,
            "INVALID_ARGUMENT",
            "ValidationException",
        ),
        (
            RefusalKind::RateLimited,
            429,
            "RESOURCE_EXHAUSTED",
            "ThrottlingException",
        ),
        (
            RefusalKind::Internal,
            500,
            "INTERNAL",
            "InternalServerException",
        ),
        (
            RefusalKind::Upstream,
            502,
            "UNAVAILABLE",
            "InternalServerException",
        ),
        (
            RefusalKind::Unavailable,
            503,
            "UNAVAILABLE",
            "ServiceUnavailableException",
        ),
        (
            RefusalKind::UpstreamTimeout,
            504,
            "DEADLINE_EXCEEDED",
            "ModelTimeoutException",
        ),
        (
            RefusalKind::Overloaded,
            503,
            "UNAVAILABLE",
            "ServiceUnavailableException",
        ),
    ];
    for (kind, status, google, bedrock) in table {
        let refusal = Refusal::new(kind, "c", "m");
        let body: serde_json::Value = serde_json::from_str(&refusal.body(Dialect::Gemini)).unwrap();
        assert_eq!(
            (&body["error"]["code"], &body["error"]["status"]),
            (&status.into(), &google.into()),
            "{kind:?}"
        );
        let response = refusal.render(Dialect::BedrockConverse);
        assert_eq!(response.status(), status);
        assert_eq!(response.headers()["x-amzn-errortype"], bedrock, "{kind:?}");
    }
}
