//! Where a text stands, and what its member is called.

#![allow(clippy::indexing_slicing, reason = "a test that fails panics")]

use bartizan_core::{Dialect, Direction, Document};

#[test]
fn each_text_tells_its_place_and_its_name() {
    let body = r#"{"model": "demo", "messages": [
        {"role": "user", "content": "one"},
        {"role": "user", "content": [{"type": "text", "text": "two"}]},
        {"role": "assistant", "tool_calls": [{"id": "c", "type": "function", "function":
            {"name": "f", "arguments": "{\"aadhaar\": \"three\", \"list\": [\"four\"]}"}}]}
    ]}"#;
    let document = Document::read(body, Dialect::OpenAiChat, Direction::Request).unwrap();
    let arguments = "messages[2].tool_calls[0].function.arguments";
    for (says, place, name) in [
        ("one", "messages[0].content", Some("content")),
        ("two", "messages[1].content[0].text", Some("text")),
        ("aadhaar", arguments, None),
        ("three", arguments, Some("aadhaar")),
        ("four", arguments, None),
    ] {
        let text = document
            .texts()
            .find(|text| text.as_str() == says)
            .expect(says);
        assert_eq!(text.place(), place, "{says}");
        assert_eq!(text.name().as_deref(), name, "{says}");
    }
}

#[test]
fn a_place_shows_no_key_that_a_caller_made_up() {
    let document = Document::read(
        r#"{"ravi@example.in": {"content": ["x"]}}"#,
        Dialect::Json,
        Direction::Request,
    )
    .unwrap();
    let text = document.texts().find(|text| text.as_str() == "x").unwrap();
    assert_eq!(text.place(), "*.content[0]");
}

#[test]
fn a_long_number_of_a_request_is_a_text_and_becomes_a_string_where_it_is_rewritten() {
    let arguments = r#"{\"aadhaar\": 234123412346, \"n\": 7, \"list\": [7, 1.5]}"#;
    let body = format!(
        r#"{{"messages": [{{"role": "assistant", "tool_calls": [{{"id": "c", "type": "function", "function": {{"name": "f", "arguments": "{arguments}"}}}}]}}]}}"#
    );
    let json =
        r#"{"id": 234123412346, "size": 1.5, "short": 1234567, "below": -12345678, "next": "x"}"#;
    for (dialect, body, number, after) in [
        (
            Dialect::OpenAiChat,
            body.as_str(),
            Some("aadhaar"),
            body.replace("234123412346", r#"\"<IN_AADHAAR_1>\""#),
        ),
        (
            Dialect::Json,
            json,
            Some("id"),
            json.replace("234123412346", "\"<IN_AADHAAR_1>\""),
        ),
    ] {
        let mut document = Document::read(body, dialect, Direction::Request).unwrap();
        let numbers: Vec<_> = document.texts().filter(|text| text.is_number()).collect();
        assert_eq!(numbers.len(), 1);
        assert_eq!(numbers[0].as_str(), "234123412346");
        assert_eq!(numbers[0].name().as_deref(), number);
        let edited = document.rewrite(|text| text.is_number().then(|| "<IN_AADHAAR_1>".to_owned()));
        assert_eq!((edited, document.as_str()), (1, after.as_str()));
        let read = |document: &Document| {
            let texts = document.texts();
            texts
                .map(|text| (text.is_number(), text.as_str().to_owned()))
                .collect::<Vec<_>>()
        };
        // It reads like what a reader of the new text sees.
        let anew = Document::read(document.as_str(), dialect, Direction::Request).unwrap();
        assert_eq!(read(&document), read(&anew));
        let mut reply = Document::read(body, dialect, Direction::Reply).unwrap();
        let edited = reply.rewrite(|text| text.is_number().then(|| "<IN_AADHAAR_1>".to_owned()));
        // A request's arguments stand elsewhere than an answer's.
        if dialect == Dialect::Json {
            assert_eq!((edited, reply.as_str()), (1, after.as_str()));
        }
    }
}

#[test]
fn long_numbers_in_arrays_answers_and_definitions_of_tools_are_texts_and_bounds_are_none() {
    let numbers = |body: &str, dialect, direction| -> Vec<String> {
        let document = Document::read(body, dialect, direction).unwrap();
        let texts = document.texts().filter(|text| text.is_number());
        texts.map(|text| text.as_str().to_owned()).collect()
    };
    let body = r#"{"messages": [], "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {
        "a": {"type": "integer", "minimum": 10000000, "maximum": 9007199254740991, "default": 234123412346, "enum": [12345678, 7, 234123412347]}}}}}]}"#;
    assert_eq!(
        numbers(body, Dialect::OpenAiChat, Direction::Request),
        ["234123412346", "12345678", "234123412347"]
    );
    let reply = r#"{"created": 1700000000, "choices": [{"index": 0, "message": {"role": "assistant", "content": null, "tool_calls": [{"id": "c",
        "type": "function", "function": {"name": "f", "arguments": "{\"a\": 234123412346, \"b\": [[98765432], 1.25, -12345678]}"}}]}}],
        "usage": {"total_tokens": 123456789}}"#;
    assert_eq!(
        numbers(reply, Dialect::OpenAiChat, Direction::Reply),
        ["234123412346", "98765432"]
    );
    let reply = r#"{"content": [{"type": "tool_use", "id": "t", "name": "f", "input": {"a": 234123412346, "b": [12345678, 2]}}]}"#;
    assert_eq!(
        numbers(reply, Dialect::AnthropicMessages, Direction::Reply),
        ["234123412346", "12345678"]
    );
    let any = r#"[[12345678, "x", 7, 23456789], {"n": 1.5}, 34567890]"#;
    for direction in [Direction::Request, Direction::Reply] {
        assert_eq!(
            numbers(any, Dialect::Json, direction),
            ["12345678", "23456789", "34567890"]
        );
    }
    let mut document = Document::read(any, Dialect::Json, Direction::Request).unwrap();
    document.rewrite(|text| text.is_number().then(|| format!("<{}>", text.as_str())));
    assert_eq!(
        document.as_str(),
        r#"[["<12345678>", "x", 7, "<23456789>"], {"n": 1.5}, "<34567890>"]"#
    );
}
