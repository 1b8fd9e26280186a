//! A tower layer that masks personal data and restores it.
