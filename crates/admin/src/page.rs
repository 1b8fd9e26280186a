//! Pages of lists.

use bartizan_core::Refusal;

use crate::read::invalid;

/// How many a page holds.
#[derive(Clone, Copy)]
pub(crate) struct Size(usize);

impl Size {
    const MOST: u16 = 500;

    pub(crate) fn read(size: Option<u16>) -> Result<Self, Refusal> {
        match size.unwrap_or(100) {
            size @ 1..=Self::MOST => Ok(Self(size.into())),
            _ => Err(invalid("size", "`size` is 1 to 500")),
        }
    }

    /// One more than is shown tells whether there is a next page.
    pub(crate) const fn and_one(self) -> usize {
        self.0 + 1
    }

    pub(crate) const fn get(self) -> usize {
        self.0
    }
}

/// Cuts what is over the page, and gives the name of the page's last where there is more.
pub(crate) fn cut<T>(
    found: &mut Vec<T>,
    size: Size,
    name: impl Fn(&T) -> String,
) -> Option<String> {
    if found.len() <= size.0 {
        return None;
    }
    found.truncate(size.0);
    found.last().map(name)
}
