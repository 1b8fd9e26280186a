//! Where a text stands, and what its member is called.

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
