//! What programs, catalogues and engineers write.

use crate::corpus::chance::Chance;

const HEX: &str = "0123456789abcdef";

pub(super) fn write(kind: &str, chance: &mut Chance) -> Option<String> {
    Some(match kind {
        "sku" => chance.shaped("AAA9999999"),
        "vin" => format!("MA{}{}", chance.shaped("A1AA99A9A9"), chance.digits(5)),
        "lei" => format!(
            "335800{}{}",
            chance.shaped("A9AA9AA9A9AA"),
            chance.digits(2)
        ),
        "part_number" => match chance.below(5) {
            0 => chance.shaped("AA-9999-99-AA"),
            1 => chance.shaped("99A99-99999-A"),
            2 => chance.shaped("9999-999-999"),
            3 => chance.shaped("A99AA999"),
            _ => chance.shaped("999.99.999.9"),
        },
        "model_number" => match chance.below(4) {
            0 => chance.shaped("AA99A9999"),
            1 => chance.shaped("AA-A999AA"),
            2 => chance.shaped("A9999999"),
            _ => chance.shaped("99AA9A9999"),
        },
        "ticket" => match chance.below(4) {
            0 => format!(
                "{}-{}",
                chance.pick(&["BUG", "OPS", "PAY", "KYC"]),
                chance.between(10, 99_999)
            ),
            1 => format!("INC{}", chance.digits(10)),
            2 => format!("#{}", chance.shaped("19999999")),
            _ => format!("CASE-{}-{}", chance.digits(6), chance.digits(4)),
        },
        "digest" => chance.letters(HEX, 32),
        "sha" => {
            let length = chance.pick(&[7, 12, 40, 64]);
            chance.letters(HEX, length)
        }
        "uuid" => {
            let mut part = |count| chance.letters(HEX, count);
            format!(
                "{}-{}-4{}-a{}-{}",
                part(8),
                part(4),
                part(3),
                part(3),
                part(12)
            )
        }
        "version" => match chance.below(5) {
            0 => format!(
                "v{}.{}.{}",
                chance.below(9),
                chance.below(30),
                chance.below(99)
            ),
            1 => format!(
                "{}.{}.{}-rc.{}",
                chance.below(9),
                chance.below(30),
                chance.below(99),
                chance.below(9)
            ),
            2 => format!(
                "{}.0.{}.{}",
                chance.between(90, 130),
                chance.between(4000, 6999),
                chance.below(200)
            ),
            3 => format!("~> {}.{}", chance.below(9), chance.below(99)),
            _ => format!(
                "{}.{}.{}+build.{}",
                chance.below(9),
                chance.below(30),
                chance.below(99),
                chance.digits(8)
            ),
        },
        "oid" => format!(
            "1.3.6.1.4.1.{}.{}.{}",
            chance.between(300, 60_000),
            chance.below(20),
            chance.below(20)
        ),
        "mention" => format!(
            "@{}",
            chance.word("ravi_k nasscom support_in IRCTCofficial kohli18 here channel dev-team")
        ),
        "at_word" => format!(
            "{}@{}",
            chance.word("root deploy ubuntu me git john admin"),
            chance.word("web01 staging home localhost laptop db-primary build7")
        ),
        "decorator" => chance
            .pick(&[
                "@app.route(\"/pay\")",
                "@Autowired",
                "@pytest.fixture",
                "@Override",
                "@media",
                "x@y",
                "user@localhost",
                "A @ B",
            ])
            .to_owned(),
        "npm_scope" => format!(
            "{}{}",
            chance.pick(&[
                "@types/node@",
                "@babel/core@",
                "react@",
                "npm:@angular/cli@",
                "lodash@"
            ]),
            chance.shaped("19.9.9")
        ),
        "hex_colour" => format!("#{}", chance.letters(HEX, 6)),
        "aspect" => chance
            .pick(&["1920x1080@60", "16:9", "2560×1440", "4096x2160"])
            .to_owned(),
        "math" => match chance.below(4) {
            0 => chance.shaped("19999 * 99999 = 1999999999"),
            1 => chance.shaped("(19 + 999) * 9999 - 1999999"),
            2 => chance.shaped("2^63 = 9223372036854775808"),
            _ => chance.shaped("1999999 / 1999 = 999.99999"),
        },
        "code_constant" => match chance.below(5) {
            0 => chance.shaped("0x9999AA99AA99"),
            1 => "2147483647".to_owned(),
            2 => "6364136223846793005".to_owned(),
            3 => chance.shaped("1_000_000_000"),
            _ => "18446744073709551615".to_owned(),
        },
        _ => return None,
    })
}
