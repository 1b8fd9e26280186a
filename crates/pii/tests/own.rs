//! Recognizers, patterns and lists of one's own.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a helper outside a test function panics as the test would"
)]

use std::sync::LazyLock;

use bartizan_core::TextRewriter;
use bartizan_pii::{
    Analyzer, AnalyzerBuilder, ConfigError, Entity, Operator, Pattern, Redactor, Vault,
};
use proptest::prelude::*;

fn staff() -> Entity {
    Entity::custom("STAFF_NUMBER").unwrap()
}

fn project() -> Entity {
    Entity::custom("PROJECT").unwrap()
}

fn own(builder: AnalyzerBuilder) -> AnalyzerBuilder {
    builder
        .pattern(
            Pattern::new(staff(), r"\bEMP-?\d{4,6}\b")
                .score(0.4)
                .score_with_context(0.9),
        )
        .pattern(Pattern::new(staff(), r"#\d{9}").check("luhn"))
        .context_word(staff(), "employee")
        .context_word(staff(), "कर्मचारी")
        .deny_list(project(), ["Falcon", "Falcon Nine", "गरुड़", "münchen"])
        .entities([Entity::Email, Entity::Phone])
        .allow_list(None, ["support@corp.example", "*@public.example"])
        .allow_list(Some(Entity::Phone), ["+91 98765 43210"])
}

static ANALYZER: LazyLock<Analyzer> = LazyLock::new(|| own(Analyzer::builder()).build().unwrap());

fn found(text: &str) -> Vec<(Entity, &str)> {
    let findings = ANALYZER.analyze(text);
    findings
        .into_iter()
        .map(|found| (found.entity, &text[found.range]))
        .collect()
}

#[test]
fn a_pattern_finds_whole_words_in_every_form_of_digits_and_needs_its_word() {
    for (text, expected) in [
        ("employee EMP-100200 left", Some("EMP-100200")),
        ("employee emp१००२००", Some("emp१००२००")),
        ("कर्मचारी EMP–1234", Some("EMP–1234")),
        ("EMP-1002 is our employee", Some("EMP-1002")),
        ("part EMP-100200 left", None),
        ("employee TEMP-100200", None),
        ("employee EMP-1002003", None),
        ("x #123456782", Some("#123456782")),
        ("x #123456783", None),
    ] {
        let expected: Vec<_> = expected.map(|text| (staff(), text)).into_iter().collect();
        assert_eq!(found(text), expected, "{text}");
    }
}

#[test]
fn a_deny_list_finds_its_words_in_every_script_and_the_longest_first() {
    for (text, expected) in [
        ("the falcon flies", vec!["falcon"]),
        ("FALCON NINE, Falcon", vec!["FALCON NINE", "Falcon"]),
        ("Falconry and MyFalcon", vec![]),
        ("यह गरुड़ है", vec!["गरुड़"]),
        ("in München", vec!["München"]),
        ("in MÜNCHEN", vec![]),
        ("in münchen", vec!["münchen"]),
    ] {
        let expected: Vec<_> = expected.into_iter().map(|text| (project(), text)).collect();
        assert_eq!(found(text), expected, "{text}");
    }
}

#[test]
fn what_is_allowed_is_no_finding() {
    for text in [
        "write to support@corp.example",
        "Support@Corp.example",
        "anyone@public.example",
        "call +91 98765 43210",
    ] {
        assert_eq!(found(text), [], "{text}");
    }
    assert_eq!(
        found("me@corp.example"),
        [(Entity::Email, "me@corp.example")]
    );
}

#[test]
fn a_pattern_that_cannot_be_used_says_how_to_mend_it() {
    for (regex, says) in [
        ("a(", "wrong"),
        (r"\d+", "bounds"),
        ("a*", "empty"),
        ("", "empty"),
        ("^abc", "looks around"),
        (r"a\bb", "looks around"),
        ("(?=x)y", "wrong"),
        ("[a-z]{300}", "bounds"),
        (r"\p{Greek}", "wrong"),
    ] {
        let built = Analyzer::builder()
            .pattern(Pattern::new(staff(), regex))
            .build();
        let error = built.unwrap_err().to_string();
        assert!(
            error.contains(says) && error.contains("STAFF_NUMBER"),
            "{regex}: {error}"
        );
    }
    let error = Analyzer::builder()
        .pattern(Pattern::new(staff(), "x").check("lun"))
        .build()
        .unwrap_err();
    assert!(error.to_string().contains("luhn"), "{error}");
    let large = (0..40).fold(Analyzer::builder(), |builder, place| {
        builder.pattern(Pattern::new(
            staff(),
            format!("[a-z{place}]{{0,120}}{place}[^x]{{120}}"),
        ))
    });
    assert_eq!(large.build().unwrap_err(), ConfigError::PatternsTooLarge);
}

#[test]
fn a_kind_that_only_a_model_finds_wants_one() {
    let builder = Analyzer::builder().entity(Entity::Person);
    assert_eq!(
        builder.clone().build().unwrap_err(),
        ConfigError::NeedsModel("PERSON")
    );
    assert!(builder.clone().modelled([Entity::Person]).build().is_ok());
    assert!(builder.deny_list(Entity::Person, ["Asha"]).build().is_ok());
}

#[test]
fn names_of_ones_own_are_few_and_plain() {
    assert_eq!(Entity::custom("STAFF_NUMBER").unwrap(), staff());
    assert_eq!(Entity::custom("EMAIL_ADDRESS").unwrap(), Entity::Email);
    assert_eq!("STAFF_NUMBER".parse(), Ok(staff()));
    for name in ["", "a", "Staff", "9A", "A B", "É", &"A".repeat(65)] {
        assert!(Entity::custom(name).is_err(), "{name}");
    }
}

static REDACTOR: LazyLock<Redactor> = LazyLock::new(|| {
    [staff(), project(), Entity::Email, Entity::Phone]
        .into_iter()
        .fold(Redactor::builder().analyzer(own), |builder, entity| {
            builder.operator(entity, Operator::Replace)
        })
        .build()
        .unwrap()
});

const PIECES: &[&str] = &[
    "employee ",
    "EMP-1002",
    "EMP",
    "-",
    "12",
    " ",
    "#123456782",
    "falcon",
    " nine",
    "गरुड़",
    "कर्मचारी ",
    "münchen",
    "me@corp.example",
    "support@corp.example",
    "9876543210",
    ".",
    "x",
    "\u{200b}",
];

proptest! {
    #[test]
    fn a_text_in_pieces_gives_what_the_whole_gives(
        pieces in proptest::collection::vec(proptest::sample::select(PIECES), 1..14),
        cuts in proptest::collection::vec(0usize..200, 0..20),
    ) {
        let text = pieces.concat();
        let mut places: Vec<usize> = cuts.iter().map(|cut| text.floor_char_boundary(cut % (text.len() + 1))).collect();
        places.extend([0, text.len()]);
        places.sort_unstable();
        let (mut out, mut masker) = (String::new(), REDACTOR.stream());
        for pair in places.windows(2) {
            masker.push(&text[pair[0]..pair[1]], &mut out);
        }
        masker.finish(&mut out);
        prop_assert_eq!(out, REDACTOR.mask(&text, &mut Vault::new()).unwrap().into_owned());
    }
}
