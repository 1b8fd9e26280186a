//! Against real servers.

mod alike;
mod calls;
mod outage;
mod places;
mod support;
