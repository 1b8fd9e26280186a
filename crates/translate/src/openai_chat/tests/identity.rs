//! Recorded answers and streams, read and written again: what is said stays.

use super::*;

#[test]
fn every_recorded_answer_says_the_same_when_it_is_written_again() {
    let (mut answers, mut streams) = (0, 0);
    for name in RECORDED {
        for exchange in recorded(name) {
            let response = &exchange["response"];
            let (Some(text), Some(200)) = (
                response["body"]["text"].as_str(),
                response["status"].as_u64(),
            ) else {
                continue;
            };
            let (mut reader, mut writer) = (reader(false), writer());
            let from = &exchange["from"];
            if exchange["stream"] == true {
                streams += 1;
                let before = gather(data(text).into_iter());
                // Perplexity has no word for the end: the layer's framing adds it.
                let end = if name == "perplexity.chat" {
                    "\n\ndata: [DONE]\n\n"
                } else {
                    ""
                };
                let text = format!("{text}{end}");
                let events = stream(&text, API, &mut reader, &mut writer);
                assert_eq!(events.last().unwrap().data(), Some("[DONE]"), "{from}");
                let written: String = events
                    .iter()
                    .map(|event| String::from_utf8(event.to_bytes().to_vec()).unwrap())
                    .collect();
                let after = gather(data(&written).into_iter());
                same(&said(&after), &said(&before), from);
            } else {
                answers += 1;
                let before = serde_json::from_str(text).unwrap();
                let after = whole(text, API, &reader, &writer);
                same(&said(&after), &said(&before), from);
            }
        }
    }
    println!("{answers} answers, {streams} streams");
}

#[test]
fn every_recorded_stream_that_is_cut_never_ends_well() {
    let mut cuts = 0;
    for name in RECORDED {
        for exchange in recorded(name) {
            let Some(text) = exchange["response"]["body"]["text"].as_str() else {
                continue;
            };
            if exchange["stream"] != true || exchange["response"]["status"] != 200 {
                continue;
            }
            let (mut reader, mut writer) = (reader(false), writer());
            let mut out = Out::new();
            for chunk in data(text) {
                let chunk = Document::read(chunk.to_string(), API, Direction::Event).unwrap();
                reader.hear(&chunk, &mut |moment| writer.say(&moment, &mut out));
                cuts += 1;
                for event in out.take() {
                    let data = event.data().unwrap();
                    let chunk: Value = serde_json::from_str(data).unwrap();
                    assert_eq!(chunk["choices"][0]["finish_reason"], Value::Null);
                }
            }
            reader.over(&mut |moment| writer.say(&moment, &mut out));
            assert!(out.take().is_empty());
        }
    }
    println!("{cuts} cuts");
}
