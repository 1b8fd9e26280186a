//! What no text may cost.

use std::collections::BTreeSet;

use super::Analyzer;
use crate::fold::Folded;
use crate::window::Window;

/// How many characters are read for each one of `text`, and how often something is asked for what it finds: a recognizer, a line of a table, the
/// words beside a number.
fn work(text: &str) -> [f64; 2] {
    let folded = Folded::new(text);
    let window = Window::new(&folded, true, true);
    Analyzer::all().scan(&window, 0, 0, |_, _| {});
    [&window.reads, &window.asks].map(|count| count.get() as f64 / folded.len() as f64)
}

/// What makes recognizers look, over and over.
const HOSTILE: &[&str] = &[
    "1",
    "1 ",
    "1:",
    "1.",
    "1-",
    "1/",
    "1,",
    "12 ",
    "000 ",
    "123-",
    "12:34 ",
    "(1)",
    "+1",
    "a1",
    "a1 ",
    "A-1",
    "AB 1",
    "AB AB 1",
    "a b 1 ",
    "@",
    "a@",
    "a@b",
    "a@b.",
    "a@b.c",
    "x@y@z@",
    ":",
    "::",
    "a::",
    "::1",
    "1::",
    "/",
    "://",
    "http://",
    "http://a.b/",
    "www.",
    "www.a.",
    ".",
    "a.b",
    "a.b.c.",
    "0x1",
    "0x",
    "bc1q",
    "1234567890",
    "1234567890 ",
    "12345 67890 ",
    "4111 1111 1111 1112 ",
    "4111111111111112",
    "2341 2341 2345 ",
    "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb",
    "GB82 WEST 1234 5698 7654 33 ",
    "AAAAA1111A ",
    "27AAPFU0939F1ZX ",
    "aadhaar 1",
    "phone 1234567 ",
    "\u{200b}1",
    "1\u{200b}",
    "१ ",
    "आधार १",
    "order 1234567890 ",
    "01/02/1990",
    "jan 1 ",
    "January 12, ",
    "00:1A:",
    "aa-",
    "aa-bb-cc ",
    "a-",
    "dead.",
    "fe80::1%",
    "::ffff:",
    "1.1.1.1.",
    "sk-",
    "ghp_",
    "eyJ",
    "-----BEGIN ",
    "password=",
    "a://b:c@",
    "\"a\":1,",
    "A.1.B.2",
    "DL-",
    "é1",
    "中1",
    "😀1",
    "UDYAM-AA-00-",
    "जनवरी ",
    "1 जनवरी ",
    "1जनवरी",
    "जनवरी 1, ",
    "२०२४ में ",
    "2341\n",
    "2341 2341\n",
    "a 2341 2341\n",
    "a 2341\n        2341 ",
    "a 1-\n",
    "card 4111 1111 1111\r\n",
    "GB82 WEST 1234\n",
    "1234567890,",
    ",\"1234567890\"",
    "phone,x\n1234567890,",
    "phone|card|pan\n",
    "\n,1234567890",
    "\t\t\t1234567890 ",
    "2 2 2 2 23333 ",
    "30.1 ",
    "30.11.5 ",
    "1.8.64 ",
    "1.1:",
    "1 1.",
    "1-1.",
    "11 02 573175 39 ",
    "2333 23 23 ",
    "2 2333 23333 23 2 ",
    "2) 2) 2) 2) 23333 ",
    "42.65.78.71.57 ",
    "823 391 934 807",
    "233333 2333 ",
    "0009 ",
    "352886241:",
    "100511172, ",
    "192.168.1.1 ",
    "passphrase=",
    "passphrase=\"",
    "ai21=",
    "t1.",
    "GR1348941=",
    "08 NO ",
    "7/21/2532 23:25:11 ",
    "passphrase is ",
    "64.33.91.73 ",
    "1:1/",
    "1.8.64-",
    "30-JUL ",
    "67 6810 ",
    "00:1A:2B:3C:4D:5E ",
    "2 2 2 2 23333, ",
    "9.9.9.9.99999\n",
];

/// Pieces that are dear by themselves or beside another.
const PIECES: &[&str] = &[
    "1",
    "12",
    "1 ",
    "1.",
    "1:",
    "1/",
    "1-",
    "+1",
    "(1)",
    "a1",
    "A1 ",
    "@",
    "a@",
    ":",
    "a:",
    ".",
    "a.b",
    "/",
    "é",
    "中",
    "आ",
    "१",
    "\u{200b}",
    "\u{2007}",
    "–",
    "＠",
    "𝟏",
    "98765 43210 ",
    "4111 1111 ",
    "23333",
    "AB",
    "password=",
    "http://",
    "passphrase is ",
    "30-JUL ",
    "30.1 ",
    "2333 23 ",
    "4111-1111-1111-1111 ",
    "2341 2341 2346 ",
    "phone ",
    "GR1348941=",
];

/// The hostile texts, each two of the pieces, the beginning of each form of a secret, and each word of the shipped ones beside numbers.
fn hostile() -> BTreeSet<String> {
    let mut all: BTreeSet<String> = HOSTILE.iter().map(|atom| (*atom).to_owned()).collect();
    for one in PIECES {
        all.extend(PIECES.iter().map(|other| format!("{one}{other}")));
    }
    for form in bartizan_forms::Forms::shipped().list() {
        let names = form
            .shape
            .strip_prefix('<')
            .and_then(|rest| rest.split('>').next());
        let first = form.shape.split([' ', '|']).next().unwrap_or_default();
        let heads = names.map_or(vec![first.trim_start_matches('(')], |names| {
            names.split('|').collect()
        });
        for head in heads {
            all.extend(["=", ": ", "=a1b2c3 "].map(|value| format!("{head}{value}")));
        }
    }
    for line in include_str!("../../data/context.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
    {
        let Some((_, words)) = line.split_once(": ") else {
            continue;
        };
        for word in words.split(", ").step_by(19) {
            all.extend(
                ["1", "1234567890", "4111 1111 1111 1111"]
                    .map(|number| format!("{word} {number} ")),
            );
        }
    }
    all
}

/// Some ten findings a KB, most of them of digits.
const USUAL: &str = "Ravi (+91 98765 43210, Aadhaar 2341 2341 2346) may pay for the windows with the card 4111 1111 1111 1111, order 7781, \
    as on 12/05/2024. ";

#[test]
fn no_text_costs_many_times_the_usual() {
    // Characters read and questions asked are no time, of which usual texts take most elsewhere: `benches/` measures that.
    let usual = work(&USUAL.repeat(20));
    for atom in hostile() {
        let cost = work(&atom.repeat(1_000 / atom.len()));
        let of = [
            (cost[0], usual[0], "characters read"),
            (cost[1], usual[1], "questions asked"),
        ];
        for (cost, usual, what) in of {
            assert!(
                cost <= 10.0 * usual,
                "{atom:?}: {cost:.2} {what} for each of its own, usual text {usual:.2}"
            );
        }
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(400))]

    #[test]
    fn no_mixture_of_pieces_costs_many_times_the_usual(
        pieces in proptest::collection::vec(proptest::sample::select(PIECES.to_vec()), 1..6),
    ) {
        let usual = work(&USUAL.repeat(20));
        let atom = pieces.concat();
        let cost = work(&atom.repeat(1_000 / atom.len()));
        proptest::prop_assert!(
            cost.iter().zip(usual).all(|(cost, usual)| *cost <= 10.0 * usual),
            "{:?}: {:?}, usual text {:?}", atom, cost, usual
        );
    }
}

#[test]
fn the_cost_grows_with_the_text_and_no_faster() {
    for atom in HOSTILE {
        let (short, long) = (
            work(&atom.repeat(4_000 / atom.len())),
            work(&atom.repeat(32_000 / atom.len())),
        );
        for (short, long) in short.iter().zip(long) {
            assert!(
                long <= 1.1 * short + 0.5,
                "{atom:?}: {short:.1} for each character, {long:.1} in a longer text"
            );
        }
    }
}
