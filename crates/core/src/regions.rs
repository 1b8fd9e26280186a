//! Where a call may go.

use std::sync::Arc;

/// The cloud regions that lie in India.
const INDIA: &[&str] = &[
    "ap-south-1",
    "ap-south-2",
    "asia-south1",
    "asia-south2",
    "centralindia",
    "southindia",
    "westindia",
    "jioindiawest",
    "jioindiacentral",
    "ap-mumbai-1",
    "ap-hyderabad-1",
    "india",
    "in",
];

/// The regions in which a call may be answered, as far as they are known before one is chosen.
///
/// Whoever knows which providers serve a model puts it into the request's extensions, outside of the layers that judge by it. Where it is
/// missing, nothing is known, and that is taken for outside of everywhere.
///
/// ```
/// use bartizan_core::Regions;
///
/// let regions = Regions::new([Some("ap-south-1"), None]);
/// let inside: Vec<bool> = regions.iter().map(|region| Regions::lies_in(region, "india")).collect();
/// // What is unknown comes first.
/// assert_eq!(inside, [false, true]);
/// assert!(Regions::lies_in(Some("eu-west-1"), "eu-*"));
/// assert!(Regions::default().iter().all(|region| region.is_none()));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Regions(Arc<[Option<Box<str>>]>);

/// One region, of which nothing is known.
impl Default for Regions {
    fn default() -> Self {
        Self(Arc::new([None]))
    }
}

impl Regions {
    /// Creates a list of regions by their providers' names; `None` is one of which nothing is known. Of none at all nothing is known either.
    #[must_use]
    pub fn new<'a>(regions: impl IntoIterator<Item = Option<&'a str>>) -> Self {
        let mut all: Vec<Option<Box<str>>> = regions
            .into_iter()
            .map(|region| region.map(|name| name.to_ascii_lowercase().into()))
            .collect();
        if all.is_empty() {
            return Self::default();
        }
        all.sort();
        all.dedup();
        Self(all.into())
    }

    /// Each region once, by name; one of which nothing is known first.
    pub fn iter(&self) -> impl Iterator<Item = Option<&str>> {
        self.0.iter().map(Option::as_deref)
    }

    /// Whether `region` is `place`: its name in any case, the start of its name and `*`, or `india` for the regions of the usual clouds
    /// there. What is unknown lies nowhere.
    #[must_use]
    pub fn lies_in(region: Option<&str>, place: &str) -> bool {
        let Some(region) = region else {
            return false;
        };
        if place.eq_ignore_ascii_case("india") || place.eq_ignore_ascii_case("in") {
            return INDIA.iter().any(|known| known.eq_ignore_ascii_case(region));
        }
        match place.strip_suffix('*') {
            Some(start) => region
                .get(..start.len())
                .is_some_and(|head| head.eq_ignore_ascii_case(start)),
            None => region.eq_ignore_ascii_case(place),
        }
    }
}
