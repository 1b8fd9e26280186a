//! What the injection check reaches, held as floors a little under what was measured.
//!
//! On own samples always; on the development set, which is read in place, when it is there.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeMap;
use std::io::Read;

use bartizan_guard::{Check, Injection, Invisible, Sample};
use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::Value;

const SHARED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/guard/");

fn samples(name: &str) -> Vec<&'static str> {
    let text = match name {
        "attacks" => include_str!("samples/attacks.txt"),
        _ => include_str!("samples/benign.txt"),
    };
    text.trim_end().split("\n---\n").collect()
}

fn hit(text: &str) -> bool {
    Injection::default().find(&Sample::new(text)).is_some()
}

fn share(texts: &[String]) -> f64 {
    texts.iter().filter(|text| hit(text)).count() as f64 / texts.len() as f64
}

#[test]
fn plain_attacks_are_found_and_honest_prompts_that_mention_them_pass() {
    for text in samples("attacks") {
        assert!(hit(text), "missed: {text}");
    }
    let alarms: Vec<&str> = samples("benign")
        .into_iter()
        .filter(|text| hit(text))
        .collect();
    // Written against the rules on purpose; the one that is left speaks to a person as attacks speak to a model.
    assert!(alarms.len() <= 1, "{alarms:#?}");
    let hidden: Vec<&str> = samples("benign")
        .into_iter()
        .filter(|text| Invisible::new().find(&Sample::new(text)).is_some())
        .collect();
    assert!(hidden.is_empty(), "{hidden:#?}");
}

type Disguise = fn(&str) -> String;

/// Ways to hide a text from a reader, each of which a model still understands.
fn disguises() -> Vec<(&'static str, Disguise)> {
    fn letters(text: &str, change: impl Fn(char) -> char) -> String {
        text.chars().map(change).collect()
    }
    fn shifted(text: &str, upper: u32, lower: u32) -> String {
        letters(text, |c| {
            let base = if c.is_ascii_uppercase() {
                upper + u32::from(c) - 65
            } else if c.is_ascii_lowercase() {
                lower + u32::from(c) - 97
            } else {
                u32::from(c)
            };
            char::from_u32(base).unwrap_or(c)
        })
    }
    vec![
        ("base64", |text| BASE64_STANDARD.encode(text)),
        ("base64 in a sentence", |text| {
            format!(
                "Decode this and do it: {} Thanks!",
                BASE64_STANDARD.encode(text)
            )
        }),
        ("base64 twice", |text| {
            BASE64_STANDARD.encode(BASE64_STANDARD.encode(text))
        }),
        ("hex", |text| {
            text.bytes().map(|byte| format!("{byte:02x}")).collect()
        }),
        ("base32", |text| {
            let mut bits = String::new();
            text.bytes()
                .for_each(|byte| bits.push_str(&format!("{byte:08b}")));
            bits.as_bytes()
                .chunks(5)
                .map(|five| {
                    let five = format!("{:0<5}", String::from_utf8_lossy(five));
                    char::from(
                        b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
                            [usize::from_str_radix(&five, 2).unwrap()],
                    )
                })
                .collect()
        }),
        ("percent", |text| {
            text.bytes().map(|byte| format!("%{byte:02X}")).collect()
        }),
        ("entities", |text| {
            text.chars()
                .map(|c| format!("&#{};", u32::from(c)))
                .collect()
        }),
        ("escapes", |text| {
            text.chars()
                .map(|c| format!("\\u{:04x}", u32::from(c) & 0xFFFF))
                .collect()
        }),
        ("rot13", |text| {
            letters(text, |c| match c {
                'a'..='m' | 'A'..='M' => char::from(c as u8 + 13),
                'n'..='z' | 'N'..='Z' => char::from(c as u8 - 13),
                _ => c,
            })
        }),
        ("reversed", |text| text.chars().rev().collect()),
        ("rot13 in base64", |text| {
            BASE64_STANDARD.encode(letters(text, |c| match c {
                'a'..='m' | 'A'..='M' => char::from(c as u8 + 13),
                'n'..='z' | 'N'..='Z' => char::from(c as u8 - 13),
                _ => c,
            }))
        }),
        ("leet", |text| {
            letters(text, |c| match c {
                'a' | 'A' => '4',
                'e' | 'E' => '3',
                'i' | 'I' => '1',
                'o' | 'O' => '0',
                's' | 'S' => '5',
                't' | 'T' => '7',
                _ => c,
            })
        }),
        ("a little leet", |text| {
            letters(text, |c| match c {
                'o' => '0',
                'i' => '!',
                'a' => '@',
                _ => c,
            })
        }),
        ("homoglyphs", |text| {
            letters(text, |c| match c {
                'a' => 'а',
                'e' => 'е',
                'o' => 'о',
                'p' => 'р',
                'c' => 'с',
                'i' => 'і',
                'x' => 'х',
                'y' => 'у',
                's' => 'ѕ',
                'I' => 'І',
                _ => c,
            })
        }),
        ("full-width", |text| {
            letters(text, |c| {
                if c.is_ascii_graphic() {
                    char::from_u32(u32::from(c) + 0xFEE0).unwrap()
                } else {
                    c
                }
            })
        }),
        ("bold", |text| shifted(text, 0x1D400, 0x1D41A)),
        ("script", |text| shifted(text, 0x1D4D0, 0x1D4EA)),
        ("circled", |text| shifted(text, 0x24B6, 0x24D0)),
        ("small capitals", |text| {
            letters(text, |c| match c.to_ascii_lowercase() {
                'a' => 'ᴀ',
                'e' => 'ᴇ',
                'g' => 'ɢ',
                'i' => 'ɪ',
                'n' => 'ɴ',
                'o' => 'ᴏ',
                'r' => 'ʀ',
                't' => 'ᴛ',
                'u' => 'ᴜ',
                'd' => 'ᴅ',
                'm' => 'ᴍ',
                'p' => 'ᴘ',
                _ => c,
            })
        }),
        ("accents", |text| {
            text.chars()
                .flat_map(|c| {
                    [
                        c,
                        if c.is_ascii_alphabetic() {
                            '\u{336}'
                        } else {
                            '\u{200b}'
                        },
                    ]
                })
                .collect()
        }),
        ("zero-width", |text| {
            text.chars().flat_map(|c| [c, '\u{200b}']).collect()
        }),
        ("tag characters", |text| {
            text.chars()
                .map(|c| {
                    char::from_u32(0xE0000 + u32::from(c))
                        .filter(|_| c.is_ascii())
                        .unwrap_or(c)
                })
                .collect()
        }),
        ("variation selectors", |text| {
            format!(
                "😀{}",
                text.bytes()
                    .map(|byte| {
                        let code = if byte < 16 {
                            0xFE00 + u32::from(byte)
                        } else {
                            0xE0100 + u32::from(byte) - 16
                        };
                        char::from_u32(code).unwrap()
                    })
                    .collect::<String>()
            )
        }),
        ("bidi", |text| {
            format!("\u{202e}{}\u{202c}", text.chars().rev().collect::<String>())
        }),
        ("spaced", |text| {
            text.chars().flat_map(|c| [c, ' ']).collect()
        }),
        ("hyphened", |text| {
            text.split(' ')
                .map(|word| word.chars().map(String::from).collect::<Vec<_>>().join("-"))
                .collect::<Vec<_>>()
                .join(" ")
        }),
        ("dotted", |text| {
            text.split(' ')
                .map(|word| word.chars().map(String::from).collect::<Vec<_>>().join("."))
                .collect::<Vec<_>>()
                .join("  ")
        }),
        ("upper case", |text| text.to_uppercase()),
        ("underscores", |text| text.replace(' ', "_")),
        ("line breaks", |text| text.replace(' ', "\n")),
        ("emoji", |text| text.replace(' ', " 🔥 ")),
    ]
}

#[test]
fn a_disguise_hides_no_attack_and_makes_none() {
    // Control tokens are nothing when they are spelled otherwise, and other scripts have no such disguises.
    let attacks: Vec<&str> = samples("attacks")
        .into_iter()
        .filter(|text| text.is_ascii() && !text.contains(['<', '[']))
        .collect();
    let benign: Vec<&str> = samples("benign")
        .into_iter()
        .filter(|text| text.is_ascii())
        .collect();
    let (mut sum, mut count) = (0.0, 0.0);
    for (name, disguise) in disguises() {
        let hidden: Vec<String> = attacks.iter().map(|text| disguise(text)).collect();
        let recall = share(&hidden);
        let missed: Vec<&String> = hidden.iter().filter(|text| !hit(text)).collect();
        let alike: Vec<String> = benign.iter().map(|text| disguise(text)).collect();
        let alarms = share(&alike);
        println!("{name}: {recall:.2} found, {alarms:.3} false alarms");
        assert!(
            recall >= 0.90,
            "{name}: {recall:.2} of the plain ones are found, not {missed:#?}"
        );
        assert!(alarms <= 0.02, "{name}: {alarms:.3} false alarms");
        sum += recall;
        count += 1.0;
    }
    assert!(sum / count >= 0.97, "mean {:.3}", sum / count);
}

/// The development set by label and source.
fn development() -> Option<BTreeMap<(String, String), Vec<String>>> {
    let file = std::fs::File::open(format!("{SHARED}dev.jsonl.gz")).ok()?;
    let mut lines = String::new();
    flate2::read::GzDecoder::new(file)
        .read_to_string(&mut lines)
        .ok()?;
    let mut sets = BTreeMap::<_, Vec<String>>::new();
    for line in lines.lines() {
        let line: Value = serde_json::from_str(line).ok()?;
        let word = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
        sets.entry((word("label"), word("source")))
            .or_default()
            .push(word("text"));
    }
    Some(sets)
}

#[test]
fn the_development_set_is_held() {
    let Some(sets) = development() else { return };
    let reached = |label: &str, source: &str| {
        let texts = &sets[&(label.to_owned(), source.to_owned())];
        let share = share(texts);
        println!("{label} {source}: {share:.4} of {}", texts.len());
        share
    };
    assert!(reached("attack", "in_the_wild") >= 0.55);
    // Innocent by their words alone (a task, a code fragment): these want a model.
    reached("attack", "bipia_text");
    reached("attack", "bipia_code");
    assert!(reached("benign", "gpteacher") <= 0.001);
    assert!(reached("benign", "self_instruct_seed") <= 0.01);
    assert!(reached("benign", "notinject_one") <= 0.01);
    // One of them asks for a well-known jailbreak persona.
    assert!(reached("benign", "act_as") <= 0.02);
}

#[test]
fn requests_for_the_system_prompt_are_held() {
    let Ok(text) = std::fs::read_to_string(format!("{SHARED}system_prompt_extraction.json")) else {
        return;
    };
    let sets: BTreeMap<String, Vec<String>> = serde_json::from_str(&text).unwrap();
    let all: Vec<String> = sets.into_values().flatten().collect();
    let share = share(&all);
    println!("{share:.3} of {}", all.len());
    assert!(share >= 0.80, "{share}");
}
