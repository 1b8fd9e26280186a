//! Reads a file of rules.

use std::borrow::Cow;
use std::collections::HashMap;

use super::{Goal, Phrase, Rules, Step, Tally};
use crate::words;
use crate::{Error, Folded, Risk};

/// More than this many phrases or steps, and the tables behind them would no longer fit a processor's cache.
const MOST: usize = 20_000;

#[derive(Default)]
struct Reader<'t> {
    sets: HashMap<&'t str, Vec<&'t str>>,
    phrases: HashMap<String, usize>,
    unless: HashMap<&'t str, usize>,
    tallies: HashMap<&'t str, usize>,
    rules: Rules,
}

impl Rules {
    /// Reads `text`. The file's head says how it is written.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let mut reader = Reader::default();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if !line.is_empty() && !line.starts_with('#') {
                reader.line(line).map_err(|problem| Error::Rules {
                    line: number + 1,
                    problem,
                })?;
            }
        }
        reader.rules.finish()
    }
}

impl<'t> Reader<'t> {
    fn line(&mut self, line: &'t str) -> Result<(), Cow<'static, str>> {
        let (head, body) = line.split_once(" = ").ok_or("there is no ` = `")?;
        let head: Vec<&str> = head.split_whitespace().collect();
        match *head.as_slice() {
            ["set", name] => {
                let words = self.alternatives(body)?;
                self.sets.insert(name, words);
                Ok(())
            }
            ["rule", id, risk] => {
                let (body, unless) = body
                    .split_once(" unless ")
                    .map_or((body, None), |(body, set)| (body, Some(set)));
                let unless = unless.map(|set| self.unless(set)).transpose()?;
                let goal = Goal::Rule {
                    id: id.to_owned().into(),
                    risk: parse_risk(risk)?,
                    unless,
                };
                self.sequence(goal, body)
            }
            ["tally", id, risk] => {
                let (score, rest) = body
                    .split_once(" within ")
                    .ok_or("a tally is `score within words with weight`")?;
                let (within, core) = rest.split_once(" with ").unwrap_or((rest, "0"));
                self.tallies.insert(id, self.rules.tallies.len());
                self.rules.tallies.push(Tally {
                    id: id.to_owned().into(),
                    risk: parse_risk(risk)?,
                    score: parse_number(score)?,
                    within: parse_number(within)?,
                    core: parse_number(core)?,
                    signs: Vec::new(),
                });
                Ok(())
            }
            ["sign", id, weight] => {
                let tally = *self
                    .tallies
                    .get(id)
                    .ok_or("there is no tally of that name above")?;
                let sign = self.rules.signs;
                self.rules.signs += 1;
                if let Some(tally) = self.rules.tallies.get_mut(tally) {
                    tally.signs.push((sign, parse_number(weight)?));
                }
                // A sign may be seen in several ways, each a sequence of its own.
                body.split(" || ")
                    .try_for_each(|way| self.sequence(Goal::Sign { tally, sign }, way))
            }
            ["marker", id, risk] => {
                let regex = regex::Regex::new(body).map_err(|error| error.to_string())?;
                self.rules
                    .markers
                    .push((id.to_owned().into(), parse_risk(risk)?, regex));
                Ok(())
            }
            ["giveaway", how] => {
                let turn = match how {
                    "reversed" => |word: &str| word.chars().rev().collect::<String>(),
                    "rot13" => crate::disguise::rot13,
                    _ => {
                        return Err(
                            "only `reversed` and `rot13` text gives itself away by words".into(),
                        );
                    }
                };
                for word in self.alternatives(body)? {
                    let word = turn(Folded::new(word).as_str());
                    let phrase = self.phrase(&word)?;
                    phrase.giveaway = Some(how == "reversed");
                }
                Ok(())
            }
            _ => Err("a line is a set, rule, tally, sign, marker or giveaway".into()),
        }
    }

    /// The words of `a | b c | @set`.
    fn alternatives(&self, body: &'t str) -> Result<Vec<&'t str>, Cow<'static, str>> {
        let mut words = Vec::new();
        for word in body.split('|').map(str::trim) {
            match word.strip_prefix('@') {
                Some(set) => words.extend(
                    self.sets
                        .get(set)
                        .ok_or("there is no set of that name above")?,
                ),
                None if word.is_empty() => return Err("an alternative is empty".into()),
                None => words.push(word),
            }
        }
        Ok(words)
    }

    /// Notes the steps of `@set 3 (a | b) @set`: a number is how many other words may stand between two steps.
    fn sequence(&mut self, goal: Goal, body: &'t str) -> Result<(), Cow<'static, str>> {
        let mut steps: Vec<(Vec<&str>, u32)> = Vec::new();
        let mut rest = body.trim();
        while !rest.is_empty() {
            if let Some(list) = rest.strip_prefix('(') {
                let (list, tail) = list.split_once(')').ok_or("a bracket is not closed")?;
                steps.push((self.alternatives(list)?, 0));
                rest = tail.trim_start();
                continue;
            }
            let (token, tail) = rest.split_once(' ').unwrap_or((rest, ""));
            rest = tail.trim_start();
            if token.bytes().all(|byte| byte.is_ascii_digit()) {
                let last = steps.last_mut().ok_or("a sequence begins with words")?;
                last.1 = parse_number(token)?;
            } else {
                steps.push((self.alternatives(token)?, 0));
            }
        }
        if steps.is_empty() || self.rules.steps.len() + steps.len() > MOST {
            return Err("a sequence is empty, or there are too many".into());
        }
        let goal_index = self.rules.goals.len();
        self.rules.goals.push(goal);
        let count = steps.len();
        for (position, (words, gap)) in steps.into_iter().enumerate() {
            let step = self.rules.steps.len();
            self.rules.steps.push(Step {
                first: position == 0,
                last: position + 1 == count,
                gap: u16::try_from(gap).unwrap_or(u16::MAX),
                goal: u32::try_from(goal_index).unwrap_or(u32::MAX),
            });
            for word in words {
                for form in forms(word) {
                    let phrase = self.phrase(&form)?;
                    if !phrase.steps.contains(&step) {
                        phrase.steps.push(step);
                    }
                }
            }
        }
        Ok(())
    }

    fn unless(&mut self, body: &'t str) -> Result<(usize, u32), Cow<'static, str>> {
        let (set, within) = body
            .trim()
            .split_once(' ')
            .ok_or("`unless` names a set and a number of words")?;
        let within = parse_number(within)?;
        if let Some(&index) = self.unless.get(set) {
            return Ok((index, within));
        }
        let index = self.unless.len();
        self.unless.insert(set, index);
        self.rules.unless = self.unless.len();
        for word in self.alternatives(set)? {
            for form in forms(word) {
                self.phrase(&form)?.unless.push(index);
            }
        }
        Ok((index, within))
    }

    fn phrase(&mut self, folded: &str) -> Result<&mut Phrase, Cow<'static, str>> {
        let text = words::spaced(folded);
        let words = text.matches(' ').count().saturating_sub(1);
        if words == 0 || words > super::LONGEST_PHRASE {
            return Err("a phrase has one to eight words".into());
        }
        let fresh = self.rules.phrases.len();
        if fresh >= MOST {
            return Err("there are too many phrases".into());
        }
        let index = *self.phrases.entry(text.clone()).or_insert(fresh);
        if index == fresh {
            self.rules.phrases.push(Phrase {
                text,
                ..Phrase::default()
            });
        }
        self.rules
            .phrases
            .get_mut(index)
            .ok_or("a phrase is lost".into())
    }
}

/// A word as it may be folded: its capital may be another letter's look-alike than its small letter.
pub(crate) fn forms(word: &str) -> Vec<String> {
    let mut forms = vec![Folded::new(word).as_str().to_owned()];
    if !word.is_ascii() {
        let upper = Folded::new(&word.to_uppercase()).as_str().to_owned();
        let lower = Folded::new(&word.to_lowercase()).as_str().to_owned();
        let mut letters = word.chars();
        let title: String = letters
            .next()
            .into_iter()
            .flat_map(char::to_uppercase)
            .chain(letters)
            .collect();
        forms.extend([upper, lower, Folded::new(&title).as_str().to_owned()]);
        forms.sort();
        forms.dedup();
    }
    forms
}

fn parse_risk(code: &str) -> Result<Risk, Cow<'static, str>> {
    Risk::parse(code).ok_or("the risk is LLM01, LLM02, LLM07 or policy".into())
}

fn parse_number(text: &str) -> Result<u32, Cow<'static, str>> {
    text.trim()
        .parse()
        .ok()
        .filter(|number| *number <= 10_000)
        .ok_or("a number is expected here".into())
}
