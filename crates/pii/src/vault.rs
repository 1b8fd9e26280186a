//! What was taken out in one exchange, and what stands for it.

mod stored;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::ops::Range;
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};

use crate::entity::PerEntity;
use crate::fakes::{Fakes, solid_range};
use crate::placeholder;
use crate::restore::{Restorer, scan};
use crate::spelling::Spelling;
use crate::{Entity, Tenant, fake};

/// How often another fake is made where one is taken already.
const MOST_TRIES: u64 = 32;

/// The personal data of one exchange, by what stands for it: placeholders and fakes.
///
/// A vault belongs to one request and its answer. Nothing else can read it, so a placeholder that somebody types never
/// turns into another caller's data. What it holds is overwritten with zeros when it is dropped. `Debug` shows counts.
///
/// The same spelling always gets the same placeholder; another spelling of the same number gets its own, since what comes
/// back must be what was sent, byte for byte.
///
/// ```
/// use bartizan_pii::{Entity, Vault};
///
/// let mut vault = Vault::new();
/// vault.reserve("keep <EMAIL_ADDRESS_1> as it is");
/// let placeholder = vault.placeholder(Entity::Email, "ravi@example.in")?;
///
/// assert_eq!(placeholder, "<EMAIL_ADDRESS_2>");
/// assert_eq!(vault.restore("To: <EMAIL_ADDRESS_2>, <EMAIL_ADDRESS_1>"), "To: ravi@example.in, <EMAIL_ADDRESS_1>");
/// # Ok::<(), bartizan_pii::VaultFull>(())
/// ```
#[derive(Default)]
pub struct Vault {
    entries: Vec<Entry>,
    /// By a keyed hash of the value, so that no second copy of it lies about.
    values: HashMap<u64, Vec<usize>>,
    hasher: RandomState,
    numbers: HashMap<(Entity, u64), usize>,
    fakes: Fakes,
    reserved: HashSet<(Entity, u64)>,
    /// The kinds that have a placeholder.
    entities: Vec<Entity>,
    last: PerEntity<u64>,
    /// The number before the first that is given out.
    base: u64,
    bounds: VaultBounds,
    bytes: usize,
    tenant: Tenant,
}

struct Entry {
    entity: Entity,
    stands: Stands,
    original: SecretString,
}

/// What stands for a value.
enum Stands {
    Placeholder(u64),
    /// A fake, and the part of the value that its letters and digits stand for: both begin and end with the same signs.
    Fake(Box<str>, Range<usize>),
}

/// How much a [`Vault`] holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VaultBounds {
    /// Values: 10,000 by default.
    pub values: usize,
    /// Bytes of all values together: 1 MiB by default.
    pub bytes: usize,
}

impl Default for VaultBounds {
    fn default() -> Self {
        Self {
            values: 10_000,
            bytes: 1 << 20,
        }
    }
}

impl VaultBounds {
    /// Sets how many values a vault holds, and how many bytes they have together.
    #[must_use]
    pub const fn new(values: usize, bytes: usize) -> Self {
        Self { values, bytes }
    }
}

/// A [`Vault`] holds as much as it may: what does not fit must not be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the exchange holds more personal data than can be kept: send less at once")]
pub struct VaultFull;

impl Vault {
    /// Creates an empty vault.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates an empty vault whose numbers start anywhere from 100,000 to 1,000,000.
    ///
    /// For an exchange that goes on where one ended whose texts don't come again (a stored conversation): the model still
    /// sees the placeholders of then, and one of now with the same number would make it speak of the wrong person.
    #[must_use]
    pub fn continuing() -> Self {
        let base = 100_000 + RandomState::new().hash_one(()) % 900_000;
        Self {
            base,
            ..Self::default()
        }
    }

    /// Sets how much it holds.
    #[must_use]
    pub fn bounds(mut self, bounds: VaultBounds) -> Self {
        self.bounds = bounds;
        self
    }

    /// Says whose data it holds, for hashes and encrypted values: nobody's in particular by default.
    #[must_use]
    pub fn of_tenant(mut self, tenant: Tenant) -> Self {
        self.tenant = tenant;
        self
    }

    /// Whose data it holds.
    #[must_use]
    pub fn tenant(&self) -> &Tenant {
        &self.tenant
    }

    /// Notes which placeholders and what numbers and addresses `text` uses already, so that none of them is given out. Call it with all that
    /// the model will see, before [`placeholder`](Self::placeholder) and [`fake`](Self::fake).
    pub fn reserve(&mut self, text: &str) {
        let spelling = Spelling::of(text);
        self.reserve_placeholders(&spelling);
        self.fakes.reserve(&spelling);
    }

    /// [`reserve`](Self::reserve) where no fakes will be made.
    pub(crate) fn reserve_placeholders(&mut self, text: &Spelling<'_>) {
        placeholder::mentioned(text.bytes(), |entity, number| {
            self.reserved.insert((entity, number));
        });
    }

    /// The placeholder for `original`: the one it has, or a new one with a number that no reserved text uses.
    ///
    /// # Errors
    ///
    /// [`VaultFull`].
    pub fn placeholder(&mut self, entity: Entity, original: &str) -> Result<String, VaultFull> {
        let hash = self.hash(entity, original);
        if let Some(Stands::Placeholder(number)) = self.find(hash, entity, original, |stands| {
            matches!(stands, Stands::Placeholder(_))
        }) {
            return Ok(placeholder::write(entity, *number));
        }
        self.make_room(original)?;
        let mut number = self.last.of(entity).copied().unwrap_or(self.base) + 1;
        while self.reserved.contains(&(entity, number)) {
            number += 1;
        }
        self.keep(hash, entity, original, Stands::Placeholder(number));
        Ok(placeholder::write(entity, number))
    }

    /// The [`fake`](fn@fake) for `original`: the one it has, or a new one that no reserved text holds. `None` where there is none.
    ///
    /// # Errors
    ///
    /// [`VaultFull`].
    pub fn fake(&mut self, entity: Entity, original: &str) -> Result<Option<String>, VaultFull> {
        let hash = self.hash(entity, original);
        if let Some(Stands::Fake(known, _)) = self.find(hash, entity, original, |stands| {
            matches!(stands, Stands::Fake(..))
        }) {
            return Ok(Some(known.to_string()));
        }
        self.make_room(original)?;
        for attempt in 0..MOST_TRIES {
            let seed = self.hasher.hash_one((entity, original, attempt));
            let Some(made) = fake(entity, original, seed) else {
                break;
            };
            let spelled = Spelling::of(&made);
            if made != original && self.fakes.add(spelled.bytes(), self.entries.len()) {
                let inner = inner(original, &spelled, &made);
                self.keep(
                    hash,
                    entity,
                    original,
                    Stands::Fake(made.as_str().into(), inner),
                );
                return Ok(Some(made));
            }
        }
        Ok(None)
    }

    /// Puts back what the placeholders and fakes in `text` stand for. What it doesn't know stays as it is.
    #[must_use]
    pub fn restore<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut out = String::new();
        let mut done = 0;
        scan(self, text, None, true, |range, original| {
            out.push_str(text.get(done..range.start).unwrap_or_default());
            out.push_str(&original);
            done = range.end;
        });
        if done == 0 {
            return Cow::Borrowed(text);
        }
        out.push_str(text.get(done..).unwrap_or_default());
        Cow::Owned(out)
    }

    /// Where in `text` something stands for what is held.
    pub(crate) fn standing_in(&self, text: &str) -> Vec<Range<usize>> {
        let mut all = Vec::new();
        scan(self, text, None, true, |range, _| all.push(range));
        all
    }

    /// Creates a rewriter that does as [`restore`](Self::restore) for a text that arrives in pieces.
    #[must_use]
    pub fn restorer(self: &Arc<Self>) -> Restorer {
        Restorer::new(Arc::clone(self))
    }

    /// How many values are held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing was masked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(crate) fn entities(&self) -> &[Entity] {
        &self.entities
    }

    pub(crate) fn fakes(&self) -> &Fakes {
        &self.fakes
    }

    pub(crate) fn original(&self, entity: Entity, number: u64) -> Option<&str> {
        let index = self.numbers.get(&(entity, number))?;
        self.entries
            .get(*index)
            .map(|entry| entry.original.expose_secret())
    }

    /// What the letters and digits of a fake stand for.
    pub(crate) fn behind_fake(&self, value: usize) -> Option<&str> {
        let entry = self.entries.get(value)?;
        match &entry.stands {
            Stands::Fake(_, inner) => entry.original.expose_secret().get(inner.clone()),
            Stands::Placeholder(_) => None,
        }
    }

    fn hash(&self, entity: Entity, original: &str) -> u64 {
        self.hasher.hash_one((entity, original))
    }

    fn find(
        &self,
        hash: u64,
        entity: Entity,
        original: &str,
        which: impl Fn(&Stands) -> bool,
    ) -> Option<&Stands> {
        self.values
            .get(&hash)?
            .iter()
            .filter_map(|index| self.entries.get(*index))
            .find(|entry| {
                entry.entity == entity
                    && which(&entry.stands)
                    && entry.original.expose_secret() == original
            })
            .map(|entry| &entry.stands)
    }

    fn make_room(&self, original: &str) -> Result<(), VaultFull> {
        let bytes = self.bytes.saturating_add(original.len());
        if self.entries.len() >= self.bounds.values || bytes > self.bounds.bytes {
            return Err(VaultFull);
        }
        Ok(())
    }

    fn keep(&mut self, hash: u64, entity: Entity, original: &str, stands: Stands) {
        let index = self.entries.len();
        if let Stands::Placeholder(number) = stands {
            let last = self.last.of(entity).copied().unwrap_or(0);
            self.last.set(entity, last.max(number));
            if !self.entities.contains(&entity) {
                self.entities.push(entity);
            }
            self.numbers.insert((entity, number), index);
        }
        self.bytes += original.len();
        self.values.entry(hash).or_default().push(index);
        self.entries.push(Entry {
            entity,
            stands,
            original: SecretString::from(original),
        });
    }
}

/// The part of `original` that the letters and digits of its fake stand for. What a text has around those stays, so that `+` and brackets don't
/// come twice.
fn inner(original: &str, spelled: &Spelling<'_>, made: &str) -> Range<usize> {
    let solid = solid_range(spelled);
    let (before, behind) = (made.get(..solid.start), made.get(solid.end..));
    let start = before
        .filter(|before| original.starts_with(before))
        .map_or(0, str::len);
    let end = behind
        .filter(|behind| original.ends_with(behind))
        .map_or(original.len(), |behind| original.len() - behind.len());
    if start <= end {
        start..end
    } else {
        0..original.len()
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
