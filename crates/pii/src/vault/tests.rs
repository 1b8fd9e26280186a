use proptest::prelude::*;

use super::*;

#[test]
fn the_same_spelling_gets_the_same_placeholder_and_another_its_own() {
    let mut vault = Vault::new();
    let first = vault
        .placeholder(Entity::InAadhaar, "2341 2341 2346")
        .unwrap();
    assert_eq!(first, "<IN_AADHAAR_1>");
    assert_eq!(
        vault
            .placeholder(Entity::InAadhaar, "2341 2341 2346")
            .unwrap(),
        first
    );
    assert_eq!(
        vault
            .placeholder(Entity::InAadhaar, "234123412346")
            .unwrap(),
        "<IN_AADHAAR_2>"
    );
    assert_eq!(
        vault.placeholder(Entity::Phone, "2341 2341 2346").unwrap(),
        "<PHONE_NUMBER_1>"
    );
    assert_eq!(vault.len(), 3);
}

#[test]
fn a_placeholder_that_the_caller_typed_is_never_given_out_in_any_spelling() {
    for typed in [
        "<EMAIL_ADDRESS_1>",
        "< email address 1 >",
        "EMAIL_ADDRESS_1",
        "\\u003cEMAIL_ADDRESS_1\\u003e",
        "<EMAIL\\_ADDRESS\\_1>",
    ] {
        let mut vault = Vault::new();
        vault.reserve(typed);
        assert_eq!(
            vault.placeholder(Entity::Email, "a@b.in").unwrap(),
            "<EMAIL_ADDRESS_2>",
            "{typed}"
        );
        assert_eq!(vault.restore(typed), typed);
    }
}

#[test]
fn models_spell_placeholders_in_their_own_way() {
    let mut vault = Vault::new();
    vault.placeholder(Entity::Email, "a@b.in").unwrap();
    for (written, restored) in [
        ("<EMAIL_ADDRESS_1>", "a@b.in"),
        ("<email_address_1>", "a@b.in"),
        ("< EMAIL_ADDRESS_1 >", "a@b.in"),
        ("<Email Address 1>", "a@b.in"),
        ("<EMAIL-ADDRESS-1>", "a@b.in"),
        ("<EMAIL\\_ADDRESS\\_1>", "a@b.in"),
        ("EMAIL_ADDRESS_1", "a@b.in"),
        ("**EMAIL_ADDRESS_1**", "**a@b.in**"),
        ("< email   address 1 >", "a@b.in"),
        ("<`EMAIL_ADDRESS_1`>", "a@b.in"),
        ("`EMAIL_ADDRESS_1`", "`a@b.in`"),
        ("'EMAIL_ADDRESS_1'", "'a@b.in'"),
        ("\"<EMAIL_ADDRESS_1>\"", "\"a@b.in\""),
        ("<**EMAIL_ADDRESS_1**>", "a@b.in"),
        ("\\<EMAIL\\_ADDRESS\\_1\\>", "a@b.in"),
        ("＜EMAIL_ADDRESS_1＞", "a@b.in"),
        ("＜ＥＭＡＩＬ＿ＡＤＤＲＥＳＳ＿１＞", "a@b.in"),
        ("〈EMAIL_ADDRESS_1〉 ⟨email_address_1⟩", "a@b.in a@b.in"),
        ("<EMAIL_ADDRESS_१>", "a@b.in"),
        ("<EMAIL\u{200b}_ADDRESS_1>", "a@b.in"),
        ("&lt;EMAIL_ADDRESS_1&gt;", "a@b.in"),
        (
            "&#60;EMAIL_ADDRESS_1&#x3E; &#x3c;Email_Address_1&gt;",
            "a@b.in a@b.in",
        ),
        ("mailto:%3CEMAIL_ADDRESS_1%3E", "mailto:a%40b.in"),
        ("?q=%3cEMAIL%5FADDRESS%201%3e", "?q=a%40b.in"),
        ("\\u003cEMAIL_ADDRESS_1\\u003e", "a@b.in"),
        ("[EMAIL_ADDRESS_1]: <EMAIL_ADDRESS_1>", "[a@b.in]: a@b.in"),
        ("<EMAIL_ADDRESS_1", "<a@b.in"),
    ] {
        assert_eq!(vault.restore(written), restored, "{written}");
    }
}

#[test]
fn what_only_looks_like_a_placeholder_stays() {
    let mut vault = Vault::new();
    vault.placeholder(Entity::Email, "a@b.in").unwrap();
    for text in [
        "<EMAIL_ADDRESS_12>",
        "<EMAIL_ADDRESS_01>",
        "<EMAIL_ADDRESS>",
        "email_address_1",
        "MY_EMAIL_ADDRESS_1",
        "EMAIL_ADDRESS_1_OLD",
        "EMAIL_ADDRESS_10",
        "<EMAIL_ADDRESS_>",
        "<PHONE_NUMBER_1>",
        "<EMAIL     ADDRESS_1>",
        "<EMAIL\\ADDRESS_1>",
        "%3CEMAIL_ADDRESS_2%3E",
        "email address 1",
        "<EMAIL_ADDRESS_1x>",
        "<EMAIL_ADDRESS_18446744073709551617>",
        "<EMAILADDRESS1>",
    ] {
        assert_eq!(vault.restore(text), text);
    }
}

#[test]
fn nothing_of_a_value_is_shown() {
    let mut vault = Vault::new();
    vault.placeholder(Entity::Email, "canary@b.in").unwrap();
    assert!(!format!("{vault:?}").contains("canary"));
}

proptest! {
    #[test]
    fn what_is_masked_comes_back_byte_for_byte(values in proptest::collection::vec("[ -~é<>_1]{1,12}", 1..6)) {
        let mut vault = Vault::new();
        for value in &values {
            vault.reserve(value);
        }
        let masked: String = values.iter().map(|value| vault.placeholder(Entity::Email, value).unwrap()).collect();
        prop_assert_eq!(vault.restore(&masked), values.concat());
    }
}
