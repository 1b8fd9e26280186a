//! Numbers and addresses in characters that are another way to write ASCII.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a helper outside a test function panics as the test would"
)]

use bartizan_pii::{Analyzer, Entity};

fn found(text: &str) -> Vec<(Entity, &str)> {
    let found = Analyzer::all().analyze(text);
    found
        .into_iter()
        .map(|found| (found.entity, &text[found.range]))
        .collect()
}

/// `text` with the characters of `ascii` as `others` write them.
fn spelled(text: &str, ascii: &str, others: &str) -> String {
    let others: Vec<char> = others.chars().collect();
    text.chars()
        .map(|character| {
            ascii
                .find(character)
                .map_or(character, |place| others[place])
        })
        .collect()
}

const DIGITS: &str = "0123456789";
const LETTERS: &str = "abcdefghijklmnopqrstuvwxyz";

#[test]
fn digits_in_any_spelling_make_the_number() {
    for others in [
        "⓪①②③④⑤⑥⑦⑧⑨",
        "⓿❶❷❸❹❺❻❼❽❾",
        "⓿➀➁➂➃➄➅➆➇➈",
        "⓪⑴⑵⑶⑷⑸⑹⑺⑻⑼",
        "🄀⒈⒉⒊⒋⒌⒍⒎⒏⒐",
        "⁰¹²³⁴⁵⁶⁷⁸⁹",
        "₀₁₂₃₄₅₆₇₈₉",
        "𝟘𝟙𝟚𝟛𝟜𝟝𝟞𝟟𝟠𝟡",
        "🯰🯱🯲🯳🯴🯵🯶🯷🯸🯹",
        "０１２３４５６７８９",
    ] {
        for (number, entity) in [
            ("2341 2341 2346", Entity::InAadhaar),
            ("4111-1111-1111-1111", Entity::Card),
            ("98765 43210", Entity::Phone),
        ] {
            let number = spelled(number, DIGITS, others);
            let text = format!("my card, Aadhaar, phone: {number}, yes");
            assert_eq!(found(&text), [(entity, &*number)]);
        }
    }
    for digit in ['⑥', '❻', '𝟨', '６', '⑹'] {
        let number = format!("2341 2341 23４{digit}");
        assert_eq!(found(&number), [(Entity::InAadhaar, &*number)]);
    }
}

#[test]
fn letters_and_signs_in_any_spelling_make_the_address() {
    for others in [
        "ａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ",
        "ⓐⓑⓒⓓⓔⓕⓖⓗⓘⓙⓚⓛⓜⓝⓞⓟⓠⓡⓢⓣⓤⓥⓦⓧⓨⓩ",
        "⒜⒝⒞⒟⒠⒡⒢⒣⒤⒥⒦⒧⒨⒩⒪⒫⒬⒭⒮⒯⒰⒱⒲⒳⒴⒵",
        "🅐🅑🅒🅓🅔🅕🅖🅗🅘🅙🅚🅛🅜🅝🅞🅟🅠🅡🅢🅣🅤🅥🅦🅧🅨🅩",
        "🄰🄱🄲🄳🄴🄵🄶🄷🄸🄹🄺🄻🄼🄽🄾🄿🅀🅁🅂🅃🅄🅅🅆🅇🅈🅉",
        "𝒶𝒷𝒸𝒹ℯ𝒻ℊ𝒽𝒾𝒿𝓀𝓁𝓂𝓃ℴ𝓅𝓆𝓇𝓈𝓉𝓊𝓋𝓌𝓍𝓎𝓏",
    ] {
        for (at, dot) in [("@", "."), ("＠", "．"), ("﹫", "﹒"), ("@", "․")] {
            let address = format!(
                "{}{at}{}{dot}{}",
                spelled("ravi", LETTERS, others),
                spelled("example", LETTERS, others),
                spelled("in", LETTERS, others)
            );
            assert_eq!(
                found(&format!("write to {address} now")),
                [(Entity::Email, &*address)]
            );
        }
    }
    for address in [
        "oﬃce@example.in",
        "raﬁ@ﬂour.example.com",
        "r\u{301}a\u{335}vi@e\u{323}xample.in",
        "ravi@examp\u{20dd}le.in",
    ] {
        assert_eq!(
            found(&format!("write to {address} now")),
            [(Entity::Email, address)]
        );
    }
    for pan in [
        "ＡＢＣＰＥ１２３４Ｆ",
        "𝐀𝐁𝐂𝐏𝐄①②③④𝐅",
        "ⒶⒷⒸⓅⒺ1234Ⓕ",
        "🅰🅱🅲🅿🅴❶❷❸❹🅵",
        "A\u{336}B\u{336}C\u{336}P\u{336}E\u{336}1\u{336}2\u{336}3\u{336}4\u{336}F\u{336}",
    ] {
        let text = format!("PAN {pan}");
        let all = found(&text);
        assert_eq!(all.len(), 1, "{text}");
        assert_eq!(
            (all[0].0, all[0].1.trim_end_matches('\u{336}')),
            (Entity::InPan, pan.trim_end_matches('\u{336}'))
        );
    }
}

#[test]
fn marks_beside_a_number_are_no_part_of_it() {
    for (before, number, after) in [
        ("call ①", "9876543210", ""),
        ("call ", "9876543210", "¹"),
        ("call ", "9876543210", "¹² or mail"),
        ("①", "+91 98765 43210", ""),
        ("call ⑴", "98765 43210", ""),
        ("call №", "9876543210", ""),
        ("℡", "+91 98765 43210", ""),
        ("call ", "9876543210", "…"),
        ("call …", "9876543210", "."),
        ("phone ₨", "9876543210", ""),
    ] {
        let text = format!("{before}{number}{after}");
        assert_eq!(found(&text), [(Entity::Phone, number)], "{text}");
    }
    for text in [
        "H₂O and CO₂, 10² and 3³",
        "the ﬁrst oﬃce ﬂoor",
        "① one ② two ③ three",
        "x¹²³⁴⁵⁶⁷⁸⁹⁰",
    ] {
        assert_eq!(found(text), [], "{text}");
    }
}
