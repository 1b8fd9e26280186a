//! What comes back does so byte for byte: in prose, in JSON, and in a text that arrives in pieces.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a helper outside a test function panics as the test would"
)]

use std::sync::{Arc, LazyLock};

use bartizan_core::TextRewriter;
use bartizan_pii::{Entity, Operator, Redactor, Vault};
use proptest::prelude::*;
use proptest::sample::select;

static MASKS: LazyLock<Redactor> = LazyLock::new(|| redactor(&Operator::Mask));
static FAKES: LazyLock<Redactor> = LazyLock::new(|| redactor(&Operator::Fake));

fn redactor(operator: &Operator) -> Redactor {
    let builder = Entity::usual().fold(Redactor::builder(), |builder, entity| {
        builder.operator(entity, operator.clone())
    });
    builder.build().unwrap()
}

/// Values in several spellings, and what stands around them.
fn texts() -> impl Strategy<Value = String> {
    let pieces = select(
        &[
            "2341 2341 2346",
            "234123412346",
            "२३४१ २३४१ २३४६",
            "ABCPE1234F",
            "27AAPFU0939F1ZV",
            "+91 98765 43210",
            "98765-43210",
            "(212) 736-5000",
            "ravi.k@example.in",
            "RAVI@EXAMPLE.IN",
            "4111 1111 1111 1111",
            "GB82 WEST 1234 5698 7654 32",
            "10.1.2.3",
            "10.1.2.0/24",
            "123-45-6789",
            "MH 12 AB 1234",
            "MH-1420110062821",
            "J8369854",
            "HDFC0000123",
            "ravi@okaxis",
            "AB 12 34 56 C",
            "943 476 5919",
            "RSSMRA85T10A562S",
            "00:1B:44:11:3A:B7",
            "12/05/1981",
            "born ",
            "passport ",
            "NHS ",
            "SSN ",
            "2606:4700::1111",
            "9999 1234 5678",
            "a@example.com",
            " ",
            ", ",
            "\n",
            "Aadhaar ",
            "phone: ",
            "आधार ",
            "<",
            ">",
            "\"",
            "\\",
            "x",
            "7",
            "+",
            "(",
            ".",
            "<EMAIL_ADDRESS_1>",
            "é",
        ][..],
    );
    proptest::collection::vec(pieces, 1..12).prop_map(|pieces| pieces.concat())
}

fn in_pieces(vault: &Arc<Vault>, text: &str, every: usize) -> String {
    let mut restorer = vault.restorer();
    let mut out = String::new();
    let characters: Vec<char> = text.chars().collect();
    for piece in characters.chunks(every) {
        restorer.push(&piece.iter().collect::<String>(), &mut out);
    }
    restorer.finish(&mut out);
    out
}

proptest! {
    #[test]
    fn what_comes_back_does_so_byte_for_byte_wherever_it_is_cut(text in texts(), fake: bool) {
        let redactor = if fake { &FAKES } else { &MASKS };
        let mut vault = Vault::new();
        let masked = redactor.mask(&text, &mut vault).unwrap().into_owned();
        let vault = Arc::new(vault);
        prop_assert_eq!(vault.restore(&masked), &*text, "{}", masked);
        for every in 1..4 {
            prop_assert_eq!(in_pieces(&vault, &masked, every), &*text, "{}", masked);
        }
        // As a model's arguments for a tool.
        let json = serde_json::to_string(&serde_json::json!({"to": masked})).unwrap();
        let restored: serde_json::Value = {
            let mut document = bartizan_core::Document::read(&json, bartizan_core::Dialect::Json, bartizan_core::Direction::Reply).unwrap();
            document.rewrite(|text| Some(vault.restore(text.as_str()).into_owned()));
            serde_json::from_str(document.as_str()).unwrap()
        };
        prop_assert_eq!(restored["to"].as_str().unwrap(), &*text);
    }

    #[test]
    fn any_text_of_a_model_is_restored_alike_wherever_it_is_cut(text in texts(), model in texts(), at in 0_usize..200, every in 1_usize..6) {
        let mut vault = Vault::new();
        let masked = FAKES.mask(&text, &mut vault).unwrap().into_owned();
        let vault = Arc::new(vault);
        let at = model.floor_char_boundary(at % (model.len() + 1));
        let cut = masked.floor_char_boundary(at % (masked.len() + 1));
        // A fake cut short, or with more behind it.
        let says = format!("{}{}{}", &model[..at], &masked[..cut], &model[at..]);
        prop_assert_eq!(in_pieces(&vault, &says, every), vault.restore(&says));
    }
}

#[test]
fn a_fake_is_no_text_of_the_request_whatever_the_request_says() {
    // All numbers that the first tries could give: the vault must find others, or none.
    let taken: String = (0..200)
        .map(|number| format!("10.0.0.1 192.0.2.{number} 198.51.100.{number} 203.0.113.{number} "))
        .collect();
    for _ in 0..20 {
        let mut vault = Vault::new();
        let masked = redactor(&Operator::Fake)
            .mask(&taken, &mut vault)
            .unwrap()
            .into_owned();
        assert_eq!(vault.restore(&masked), taken);
        for word in masked.split(' ').filter(|word| word.contains("192.0.2.")) {
            assert!(!taken.split(' ').any(|known| known == word), "{word}");
        }
    }
}

#[test]
fn a_kind_that_has_no_fake_gets_a_placeholder() {
    let redactor = Redactor::builder()
        .operator(Entity::Secret, Operator::Fake)
        .analyzer(|analyzer| analyzer.deny_list(Entity::Secret, ["hunter2hunter2"]))
        .build()
        .unwrap();
    let mut vault = Vault::new();
    let masked = redactor.mask("it is hunter2hunter2", &mut vault).unwrap();
    assert_eq!(masked, "it is <SECRET_1>");
    assert_eq!(vault.restore("<SECRET_1>"), "hunter2hunter2");
}
