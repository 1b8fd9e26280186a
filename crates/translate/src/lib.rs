//! A tower layer that lets one API's clients call another's provider.
