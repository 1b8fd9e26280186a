//! Masking a text in pieces equals masking the whole, and what is masked comes back byte for byte.

#![no_main]

use std::sync::{Arc, LazyLock};

use bartizan::pii::{Entity, Operator, Redactor, Vault};
use bartizan_fuzz::{in_pieces, ways};
use libfuzzer_sys::fuzz_target;

static REPLACE: LazyLock<Redactor> = LazyLock::new(|| {
    let builder = Entity::built_in().fold(Redactor::builder(), |builder, entity| {
        builder.operator(entity, Operator::Replace)
    });
    builder.build().expect("kinds to find")
});

static FAKE: LazyLock<Redactor> = LazyLock::new(|| {
    let builder = Entity::usual().fold(Redactor::builder(), |builder, entity| {
        builder.operator(entity, Operator::Fake)
    });
    builder.build().expect("kinds to find")
});

fuzz_target!(|bytes: &[u8]| {
    let text = &*String::from_utf8_lossy(bytes);
    let mut end = 0;
    for found in REPLACE.analyze(text) {
        assert!(
            found.range.start >= end
                && found.range.end > found.range.start
                && (0.0..=1.0).contains(&found.score)
        );
        assert!(text.get(found.range.clone()).is_some());
        end = found.range.end;
    }

    let replaced = REPLACE
        .mask(text, &mut Vault::new())
        .expect("nothing is blocked");
    for redactor in [&Redactor::mask_usual(), &*FAKE] {
        let mut vault = Vault::new();
        let Ok(masked) = redactor.mask(text, &mut vault) else {
            continue;
        };
        let vault = Arc::new(vault);
        assert_eq!(vault.restore(&masked), text);
        for pieces in ways(&masked) {
            assert_eq!(
                in_pieces(&mut vault.restorer(), &pieces),
                text,
                "{pieces:?}"
            );
        }
    }
    for pieces in ways(text) {
        assert_eq!(
            in_pieces(&mut REPLACE.stream(), &pieces),
            replaced,
            "{pieces:?}"
        );
    }

    // What the model wrote of its own accord.
    let mut vault = Vault::new();
    for entity in Entity::ALL {
        for value in ["<EMAIL_ADDRESS_1>", "é\u{1F600}"] {
            vault.placeholder(*entity, value).expect("room");
        }
    }
    let vault = Arc::new(vault);
    let restored = vault.restore(text);
    for pieces in ways(text) {
        assert_eq!(
            in_pieces(&mut vault.restorer(), &pieces),
            restored,
            "{pieces:?}"
        );
    }
});
