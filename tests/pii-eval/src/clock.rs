//! Time that was spent, to the nanosecond.

use std::time::Duration;

/// The time that this thread has had a core, where the system tells it: a machine may be busy with other things.
#[cfg(target_os = "linux")]
pub(crate) fn on_a_core() -> Duration {
    told(rustix::time::ClockId::ThreadCPUTime)
}

/// The time that goes by, however the day's time is set.
#[cfg(target_os = "linux")]
pub(crate) fn on_the_wall() -> Duration {
    told(rustix::time::ClockId::Monotonic)
}

#[cfg(target_os = "linux")]
fn told(clock: rustix::time::ClockId) -> Duration {
    Duration::try_from(rustix::time::clock_gettime(clock)).unwrap_or_default()
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn on_a_core() -> Duration {
    on_the_wall()
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn on_the_wall() -> Duration {
    std::time::SystemTime::UNIX_EPOCH
        .elapsed()
        .unwrap_or_default()
}
