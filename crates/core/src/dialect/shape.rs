//! Tables that describe an API's JSON, and the walk that reads a document by them.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use super::facts::{Closes, Facts};
use super::text::{Channel, TextEntry, TextRole, Unseen};
use super::{ALL, Dialect, Direction};
use crate::json::{Fault, FaultKind, Json, Kind, Value};

/// The members of an object, and what each is.
pub(super) type Fields = &'static [(&'static str, Rule)];

/// What an object is.
pub(super) enum Shape {
    /// An object with these members.
    Object(Object),
    /// One of several objects, told apart by a member.
    Tagged {
        /// The member that tells.
        tag: &'static str,
        /// Its values and what they mean.
        variants: &'static [(&'static str, &'static Shape)],
        /// What it is where the member is missing.
        untagged: Option<&'static Shape>,
    },
    /// One of this shape, or an array of them.
    Several(&'static Shape),
    /// Anything: every string and key is text.
    Anything,
}

pub(super) struct Object {
    pub(super) fields: Fields,
    /// Who speaks in it.
    pub(super) speaker: Speaker,
    /// The member whose number names the group (choice, output item) of a stream's texts.
    pub(super) group: Option<&'static str>,
    /// The member whose number names the part (block, content part, tool call) of a stream's texts.
    pub(super) part: Option<&'static str>,
    /// What reading the object says, beyond its members.
    pub(super) also: Option<fn(&mut Facts, Place, Value<'_>)>,
    /// Its members tell what it is: with one that is not named it is a part that nobody knows.
    pub(super) union: bool,
}

/// Group and part, for [`Object::also`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) group: u32,
    pub(super) part: u32,
}

/// Who speaks in an object.
#[derive(Clone, Copy)]
pub(super) enum Speaker {
    /// Whoever speaks around it.
    Around,
    /// This one.
    Is(TextRole),
    /// The one whom its member `role` names.
    Named,
    /// This one where that member is `true`, else whoever speaks around it.
    Flagged(&'static str, TextRole),
}

/// What a member's value is.
#[derive(Clone, Copy)]
pub(super) enum Rule {
    /// Known, and no text: a number, a name from a list, an id, a signature.
    Skip,
    /// Known, and opaque: an image, a sound, a file.
    Media,
    /// Known, holds text in a form that a walk over strings can't see, such as single tokens.
    Blind,
    /// A fact; `false` from the function says that the value has the wrong type.
    Fact(fn(&mut Facts, Value<'_>) -> bool),
    /// A string by whoever speaks.
    Text,
    /// A string by this one.
    By(TextRole),
    /// A fact that is a text too.
    FactBy(TextRole, fn(&mut Facts, Value<'_>) -> bool),
    /// A piece of a streamed string.
    Piece(TextRole),
    /// A string by whoever speaks; in an event, a piece of one: for APIs whose events have the shape of their answers.
    TextOrPiece,
    /// The same, by this one.
    TextOrPieceBy(TextRole),
    /// The same, or an array of parts with pieces.
    PieceOrEach(TextRole, &'static Shape),
    /// A piece of a streamed string of JSON.
    JsonPiece(TextRole),
    /// A string that holds JSON.
    JsonText(TextRole),
    /// Any JSON: every string in it, but no key, is text.
    Leaves(TextRole),
    /// Any JSON: every string and key in it is text.
    Any(TextRole),
    /// The same as leaves, where numbers in an array are tokens, which spell what no string says.
    LeavesOrTokens(TextRole),
    /// An object.
    In(&'static Shape),
    /// An object whose presence is a fact.
    FactIn(&'static Shape, fn(&mut Facts, Value<'_>) -> bool),
    /// An array of objects.
    Each(&'static Shape),
    /// A string by whoever speaks, an object, or an array of them.
    Content(&'static Shape),
    /// The same, by this one.
    ContentBy(TextRole, &'static Shape),
}

impl Object {
    pub(super) const fn new(fields: Fields) -> Self {
        Self {
            fields,
            speaker: Speaker::Around,
            group: None,
            part: None,
            also: None,
            union: false,
        }
    }

    pub(super) const fn by(mut self, role: TextRole) -> Self {
        self.speaker = Speaker::Is(role);
        self
    }

    pub(super) const fn by_role(mut self) -> Self {
        self.speaker = Speaker::Named;
        self
    }

    pub(super) const fn by_flag(mut self, member: &'static str, role: TextRole) -> Self {
        self.speaker = Speaker::Flagged(member, role);
        self
    }

    pub(super) const fn union(mut self) -> Self {
        self.union = true;
        self
    }

    pub(super) const fn group(mut self, member: &'static str) -> Self {
        self.group = Some(member);
        self
    }

    pub(super) const fn part(mut self, member: &'static str) -> Self {
        self.part = Some(member);
        self
    }

    pub(super) const fn also(mut self, fact: fn(&mut Facts, Place, Value<'_>)) -> Self {
        self.also = Some(fact);
        self
    }
}

/// What a walk found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) facts: Facts,
    pub(crate) texts: Vec<TextEntry>,
    pub(crate) unseen: Vec<Unseen>,
}

/// Reads `json` as a message of `dialect`.
pub(crate) fn walk(
    json: &Json,
    dialect: Dialect,
    direction: Direction,
) -> Result<Found, Box<Fault>> {
    let mut walk = Walk {
        json,
        strict: direction == Direction::Request,
        event: direction == Direction::Event,
        found: Found::default(),
    };
    let role = match (dialect, direction) {
        (
            Dialect::OpenAiEmbeddings
            | Dialect::OpenAiModerations
            | Dialect::GeminiEmbeddings
            | Dialect::CohereEmbed
            | Dialect::CohereRerank
            | Dialect::OllamaEmbed
            | Dialect::MistralModerations
            | Dialect::VertexPredict
            | Dialect::AmazonEmbed
            | Dialect::TeiRerank,
            Direction::Request,
        ) => TextRole::Input,
        (Dialect::Json | Dialect::Grpc | Dialect::Other, _) => TextRole::Other,
        (_, Direction::Request) => TextRole::User,
        _ => TextRole::Assistant,
    };
    walk.shape(
        json.root(),
        dialect.shape(direction),
        Around {
            group: 0,
            part: 0,
            role,
            member: "document",
        },
    )?;
    if !walk.event {
        walk.found.facts.terminal = false;
        walk.found.facts.closes = Closes::Nothing;
    }
    Ok(walk.found)
}

/// Boxed, so that what every member passes through returns in a register.
type Walked = Result<(), Box<Fault>>;

#[derive(Clone, Copy)]
struct Around {
    group: u32,
    part: u32,
    role: TextRole,
    member: &'static str,
}

struct Walk<'a> {
    json: &'a Json,
    /// Requests: a fact of the wrong type is refused. Answers: it is overlooked, since every field of a foreign answer is optional.
    strict: bool,
    event: bool,
    found: Found,
}

impl<'a> Walk<'a> {
    fn shape(&mut self, value: Value<'a>, shape: &'static Shape, around: Around) -> Walked {
        if let Shape::Several(shape) = shape {
            return self.rule(value, Rule::Each(shape), around);
        }
        if value.kind() != Kind::Object {
            self.strings(value, around, around.role, true);
            return Ok(());
        }
        match shape {
            Shape::Object(object) => self.object(value, object, around),
            Shape::Tagged {
                tag,
                variants,
                untagged,
            } => {
                let told = value.get(tag);
                let variant = match told {
                    Some(told) => variants
                        .iter()
                        .find(|(name, _)| told.is(name))
                        .map(|(_, shape)| *shape),
                    None => *untagged,
                };
                match variant {
                    Some(variant) => self.shape(value, variant, around),
                    None => {
                        if told.is_none() {
                            // A tag under another spelling must not make a known part unknown.
                            self.spelling(value, &[tag])?;
                        }
                        self.unseen(value, around);
                        self.strings(value, around, TextRole::Other, false);
                        Ok(())
                    }
                }
            }
            Shape::Several(_) | Shape::Anything => {
                self.strings(value, around, around.role, true);
                Ok(())
            }
        }
    }

    fn object(&mut self, value: Value<'a>, object: &'static Object, mut around: Around) -> Walked {
        let number = |member: Option<&'static str>| {
            member
                .and_then(|name| value.get(name)?.as_u64())
                .map(narrow)
        };
        around.group = number(object.group).unwrap_or(around.group);
        around.part = number(object.part).unwrap_or(around.part);
        around.role = match object.speaker {
            Speaker::Around => around.role,
            Speaker::Is(role) => role,
            Speaker::Named => value.get("role").map_or(around.role, role_named),
            Speaker::Flagged(flag, role) => match value.get(flag).and_then(Value::as_bool) {
                Some(true) => role,
                _ => around.role,
            },
        };
        let mut known = true;
        for (key, member) in value.members() {
            let name = key.text().unwrap_or_default();
            match object.fields.iter().find(|(field, _)| *field == name) {
                Some((name, rule)) => self.rule(
                    member,
                    *rule,
                    Around {
                        member: name,
                        ..around
                    },
                )?,
                None => {
                    let names = object.fields.iter().map(|(name, _)| *name);
                    self.check_spelling(key, &name, names)?;
                    self.strings(member, around, TextRole::Other, false);
                    known = false;
                }
            }
        }
        if object.union && !known {
            self.unseen(value, around);
        }
        if let Some(also) = object.also {
            also(
                &mut self.found.facts,
                Place {
                    group: around.group,
                    part: around.part,
                },
                value,
            );
        }
        Ok(())
    }

    fn rule(&mut self, value: Value<'a>, rule: Rule, around: Around) -> Walked {
        if value.kind() == Kind::Null {
            return Ok(());
        }
        match rule {
            Rule::Skip | Rule::Media => {}
            Rule::Blind => {
                if value.range().len() > "[]".len() {
                    self.unseen(value, around);
                }
            }
            Rule::Fact(fact) => self.fact(value, fact)?,
            Rule::FactBy(role, fact) => {
                self.fact(value, fact)?;
                self.strings(value, around, role, false);
            }
            Rule::Text => self.strings(value, around, around.role, false),
            Rule::By(role) | Rule::Leaves(role) => self.strings(value, around, role, false),
            Rule::Any(role) => self.strings(value, around, role, true),
            Rule::LeavesOrTokens(role) => {
                if holds_numbers(value) {
                    self.unseen(value, around);
                }
                self.strings(value, around, role, false);
            }
            Rule::TextOrPiece => {
                self.rule(value, Rule::TextOrPieceBy(around.role), around)?;
            }
            Rule::TextOrPieceBy(role) if self.event => self.piece(value, around, role, false),
            Rule::TextOrPieceBy(role) => self.strings(value, around, role, false),
            Rule::Piece(role) => self.piece(value, around, role, false),
            Rule::PieceOrEach(_, shape) if value.kind() == Kind::Array => {
                self.rule(value, Rule::Each(shape), around)?;
            }
            Rule::PieceOrEach(role, _) => self.piece(value, around, role, false),
            Rule::JsonPiece(role) => self.piece(value, around, role, true),
            Rule::JsonText(role) if value.kind() == Kind::String => {
                self.push(value, around, role, false, true)
            }
            Rule::JsonText(role) => self.strings(value, around, role, true),
            Rule::In(shape) => self.shape(value, shape, around)?,
            Rule::FactIn(shape, fact) => {
                self.fact(value, fact)?;
                self.shape(value, shape, around)?;
            }
            Rule::Each(shape) if value.kind() == Kind::Array => {
                for item in value.items() {
                    self.shape(item, shape, around)?;
                }
            }
            Rule::Each(shape) => self.shape(value, shape, around)?,
            Rule::ContentBy(role, shape) => {
                self.rule(value, Rule::Content(shape), Around { role, ..around })?
            }
            Rule::Content(shape) => match value.kind() {
                Kind::Array => {
                    for (part, item) in value.items().enumerate() {
                        let around = Around {
                            part: u32::try_from(part).unwrap_or(u32::MAX),
                            ..around
                        };
                        self.shape(item, shape, around)?;
                    }
                }
                Kind::Object => self.shape(value, shape, around)?,
                _ => self.strings(value, around, around.role, false),
            },
        }
        Ok(())
    }

    fn fact(&mut self, value: Value<'a>, fact: fn(&mut Facts, Value<'_>) -> bool) -> Walked {
        if !fact(&mut self.found.facts, value) && self.strict {
            return Err(Box::new(self.json.fault(FaultKind::WrongType, value)));
        }
        Ok(())
    }

    fn piece(&mut self, value: Value<'a>, around: Around, role: TextRole, json: bool) {
        if value.kind() == Kind::String {
            self.push(value, around, role, true, json);
        } else {
            self.strings(value, around, role, true);
        }
    }

    fn strings(&mut self, value: Value<'a>, around: Around, role: TextRole, keys: bool) {
        for leaf in value.strings_and_ids() {
            let counts = match leaf.kind() {
                Kind::Key => keys,
                // In a tool's definition some numbers are bounds of its own.
                Kind::Number => role != TextRole::ToolDefinition || !bounds(leaf),
                _ => true,
            };
            if counts {
                self.push(leaf, around, role, false, false);
            }
        }
    }

    fn push(&mut self, value: Value<'a>, around: Around, role: TextRole, delta: bool, json: bool) {
        let channel = Channel {
            group: around.group,
            part: around.part,
            role,
        };
        self.found
            .texts
            .push(TextEntry::new(value.id(), channel, delta, json));
    }

    fn unseen(&mut self, value: Value<'a>, around: Around) {
        self.found.unseen.push(Unseen {
            node: value.id(),
            place: around.member,
        });
    }

    fn spelling(&self, value: Value<'a>, names: &[&'static str]) -> Walked {
        value.members().try_for_each(|(key, _)| {
            self.check_spelling(key, &key.text().unwrap_or_default(), names.iter().copied())
        })
    }

    fn check_spelling(
        &self,
        key: Value<'a>,
        text: &str,
        mut names: impl Iterator<Item = &'static str>,
    ) -> Walked {
        if names.any(|name| folds_to(text, name)) {
            return Err(Box::new(self.json.fault(FaultKind::KeyCase, key)));
        }
        Ok(())
    }
}

/// Whether a number in a JSON schema says how much is allowed, not what something is.
fn bounds(number: Value<'_>) -> bool {
    const BOUNDS: [&str; 11] = [
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
        "minLength",
        "maxLength",
        "minItems",
        "maxItems",
        "minProperties",
        "maxProperties",
    ];
    number
        .name()
        .is_some_and(|name| BOUNDS.contains(&name.as_ref()))
}

/// Whether `value` is an array that holds a number, at any depth: short numbers in arrays are not noted one by one.
fn holds_numbers(value: Value<'_>) -> bool {
    if value.kind() != Kind::Array {
        return false;
    }
    let (from, raw) = (value.range().start, value.raw());
    let digits = |start: usize, end: usize| {
        let between = raw.get(start - from..end - from).unwrap_or_default();
        between.bytes().any(|byte| byte.is_ascii_digit())
    };
    let mut at = from;
    for item in value.items() {
        let range = item.range();
        let number = item.kind() == Kind::Number;
        if number || digits(at, range.start) || holds_numbers(item) {
            return true;
        }
        at = range.end;
    }
    digits(at, value.range().end)
}

/// Whether a parser that folds case would take `key` for `name`, which is ASCII.
///
/// Go's `encoding/json`, the most used of those, folds the Kelvin sign and the long s too.
fn folds_to(key: &str, name: &str) -> bool {
    let mut folded = key.chars().map(|character| match character {
        '\u{212A}' => 'k',
        '\u{17F}' => 's',
        other => other.to_ascii_lowercase(),
    });
    let mut wanted = name.chars().map(|character| character.to_ascii_lowercase());
    loop {
        match (folded.next(), wanted.next()) {
            (None, None) => return true,
            (a, b) if a == b => {}
            _ => return false,
        }
    }
}

fn role_named(value: Value<'_>) -> TextRole {
    let Some(name) = value.text() else {
        return TextRole::Other;
    };
    match name.as_ref() {
        "system" | "developer" => TextRole::System,
        "user" => TextRole::User,
        "assistant" | "model" => TextRole::Assistant,
        "tool" | "function" => TextRole::ToolResult,
        _ => TextRole::Other,
    }
}

fn narrow(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// The spelling of `name` in some dialect's tables, if it stands there: such a key is no content.
pub(crate) fn known_key(name: &[u8]) -> Option<&'static str> {
    static NAMES: LazyLock<BTreeSet<&'static str>> = LazyLock::new(|| {
        let mut gathered = Names::default();
        for (dialect, direction) in ALL {
            gathered.gather(dialect.shape(direction));
        }
        gathered.names
    });
    NAMES.get(str::from_utf8(name).ok()?).copied()
}

/// The names in tables, which refer to one another and to themselves.
#[derive(Default)]
struct Names {
    names: BTreeSet<&'static str>,
    seen: Vec<*const Shape>,
}

impl Names {
    fn gather(&mut self, shape: &'static Shape) {
        let place = std::ptr::from_ref(shape);
        if self.seen.contains(&place) {
            return;
        }
        self.seen.push(place);
        match shape {
            Shape::Object(object) => {
                for (name, rule) in object.fields {
                    self.names.insert(name);
                    match rule {
                        Rule::In(shape)
                        | Rule::FactIn(shape, _)
                        | Rule::Each(shape)
                        | Rule::Content(shape)
                        | Rule::ContentBy(_, shape)
                        | Rule::PieceOrEach(_, shape) => self.gather(shape),
                        _ => {}
                    }
                }
            }
            Shape::Tagged {
                tag,
                variants,
                untagged,
            } => {
                self.names.insert(tag);
                let variants = variants.iter().map(|(_, shape)| *shape);
                variants
                    .chain(*untagged)
                    .for_each(|shape| self.gather(shape));
            }
            Shape::Several(shape) => self.gather(shape),
            Shape::Anything => {}
        }
    }
}
