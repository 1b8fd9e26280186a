//! Reads the table of forms.

use crate::check::Check;
use crate::heads::heads;
use crate::judge::Kind;
use crate::shape::{self, First};
use crate::threes::KNOWN;

/// A row of the table, for those who list it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Form {
    /// A stable word; several rows may share one.
    pub id: &'static str,
    /// Whose it is; `any` where the form doesn't tell.
    pub vendor: &'static str,
    /// How it is written, in the notation of the table.
    pub shape: &'static str,
    /// The checks, as the table names them.
    pub checks: &'static str,
}

#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) form: Form,
    pub(crate) kind: Kind,
    pub(crate) score: f32,
    pub(crate) needs: Vec<Check>,
    pub(crate) proves: Option<Check>,
}

/// One way to write a row's form.
#[derive(Clone, Debug)]
pub(crate) struct Way {
    pub(crate) row: usize,
    pub(crate) way: shape::Way,
    /// How many bytes at the beginning are the form's own.
    pub(crate) own: usize,
    /// Whatever may follow.
    pub(crate) open: bool,
    /// Its runs may hold a `/`; so it doesn't begin after one, or it would begin within itself without end.
    pub(crate) apart: bool,
}

/// Reads lines of `[vendor]`, `# note` and `id = form ; words`; the words are `proves CHECK`, `needs CHECK`, `score N`,
/// `kind KIND` and `open`. Leaves out what has a lower score than `least`.
pub(crate) fn read(text: &'static str, least: f32) -> Result<(Vec<Row>, Vec<Way>), String> {
    let (mut rows, mut ways) = (Vec::new(), Vec::new());
    let mut vendor = "any";
    for (line, number) in text.lines().zip(1_u32..) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            vendor = name;
            continue;
        }
        let wrong = |what: &str| format!("line {number}: {what}");
        let (id, rest) = line.split_once(" = ").ok_or_else(|| wrong("no form"))?;
        let (shape, words) = rest.split_once(" ; ").unwrap_or((rest, ""));
        let written = shape::read(shape).ok_or_else(|| wrong("a form that can't be read"))?;
        let known = |heads: &Vec<Vec<u8>>| heads.len() >= KNOWN;
        if !written.iter().all(|way| heads(way).iter().all(known)) {
            return Err(wrong("a form that begins in too many ways"));
        }
        let named = matches!(written.first().map(|way| &way.first), Some(First::Name(_)));
        let mut row = Row {
            form: Form {
                id,
                vendor,
                shape,
                checks: words,
            },
            kind: Kind::Key,
            score: if named { 0.75 } else { 0.9 },
            needs: Vec::new(),
            proves: None,
        };
        let mut open = false;
        let mut words = words.split(' ').filter(|word| !word.is_empty());
        while let Some(word) = words.next() {
            let mut argument = || words.next().unwrap_or_default();
            match word {
                "open" => open = true,
                "kind" => row.kind = Kind::read(argument()).ok_or_else(|| wrong("kind"))?,
                "score" => row.score = argument().parse().map_err(|_| wrong("score"))?,
                "needs" => row
                    .needs
                    .push(Check::read(argument()).ok_or_else(|| wrong("needs"))?),
                "proves" => {
                    row.proves = Some(Check::read(argument()).ok_or_else(|| wrong("proves"))?);
                }
                _ => return Err(wrong(word)),
            }
        }
        if row.score < least {
            continue;
        }
        ways.extend(written.into_iter().map(|way| Way {
            row: rows.len(),
            own: match &way.first {
                First::Exactly(literal) => literal.len(),
                First::Name(_) | First::Run => 0,
            },
            open,
            apart: matches!(way.first, First::Exactly(_)) && way.holds(b'/'),
            way,
        }));
        rows.push(row);
    }
    if ways.len() > usize::from(u16::MAX) {
        return Err("too many ways to write the forms".to_owned());
    }
    Ok((rows, ways))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_is_not_well_written_is_named() {
        for (text, error) in [
            ("a = bcd [x{2}", "line 1: a form that can't be read"),
            ("a = bc", "line 1: a form that begins in too many ways"),
            ("# x\nab", "line 2: no form"),
            ("a = bcd hex{2} ; needs x", "line 1: needs"),
            ("a = bcd hex{2} ; often", "line 1: often"),
            ("a = bcd hex{2} ; score high", "line 1: score"),
            ("a = bcd hex{2} ; kind x", "line 1: kind"),
        ] {
            assert_eq!(read(text, 0.0).unwrap_err(), error, "{text}");
        }
        let (rows, ways) = read(
            "[V]\na = (b|c) _ hex{2} ; score .5 open\nd = <efg h> is hex{3}",
            0.6,
        )
        .unwrap();
        assert_eq!((rows.len(), ways.len()), (1, 1));
        assert_eq!((rows[0].form.vendor, rows[0].score), ("V", 0.75));
    }
}
