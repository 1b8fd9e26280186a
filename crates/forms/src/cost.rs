//! Counts what a scan looks at, in tests: bytes that are compared, not time.

use std::cell::Cell;

thread_local! {
    static STEPS: Cell<u64> = const { Cell::new(0) };
}

pub(crate) fn add(steps: usize) {
    STEPS.with(|all| all.set(all.get() + steps as u64));
}

pub(crate) fn take() -> u64 {
    STEPS.with(|all| all.replace(0))
}
