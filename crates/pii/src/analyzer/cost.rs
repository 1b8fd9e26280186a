//! What no text may cost.

use super::Analyzer;
use crate::fold::Folded;
use crate::window::Window;

/// How many characters are read for each one of `text`.
fn reads(text: &str) -> f64 {
    let folded = Folded::new(text);
    let window = Window::new(&folded, true, true);
    Analyzer::all().scan(&window, 0, 0, |_, _| {});
    window.reads.get() as f64 / folded.len() as f64
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
];

#[test]
fn no_text_costs_many_times_the_usual() {
    // Characters read are no time, of which usual texts take most elsewhere: `benches/` measures that.
    // Some ten findings a KB, most of them of digits.
    let usual = "Ravi (+91 98765 43210, Aadhaar 2341 2341 2346) may pay for the windows with the card 4111 1111 1111 1111, order 7781, \
        as on 12/05/2024. ";
    let usual = reads(&usual.repeat(20));
    for atom in HOSTILE {
        let cost = reads(&atom.repeat(2_000 / atom.len()));
        assert!(
            cost <= 15.0 * usual,
            "{atom:?} costs {cost:.1} reads a character, usual text {usual:.1}"
        );
    }
}

#[test]
fn the_cost_grows_with_the_text_and_no_faster() {
    for atom in HOSTILE {
        let (short, long) = (
            reads(&atom.repeat(4_000 / atom.len())),
            reads(&atom.repeat(32_000 / atom.len())),
        );
        assert!(
            long <= 1.1 * short + 0.5,
            "{atom:?}: {short:.1} reads a character, {long:.1} in a longer text"
        );
    }
}
