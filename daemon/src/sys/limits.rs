//! Resource limits: raising them at start, and keeping within them.

use std::os::fd::{AsRawFd as _, BorrowedFd};

use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit, rlim_t, setrlimit};
use thiserror::Error;

/// A limit is lower than the configuration demands and cannot be raised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum LimitError {
    /// RLIMIT_NOFILE against `minfds`.
    #[error(
        "The minimum number of file descriptors required to run this process is {wanted} as per \
         the \"minfds\" command-line argument or config file setting. The current environment \
         will only allow you to open {hard} file descriptors. Raise the hard limit of open files \
         or lower minfds."
    )]
    Files {
        /// What the configuration demands.
        wanted: u64,
        /// The hard limit in force.
        hard: u64,
    },
    /// RLIMIT_NPROC against `minprocs`.
    #[error(
        "The minimum number of available processes required to run this program is {wanted} as \
         per the \"minprocs\" command-line argument or config file setting. The current \
         environment will only allow you to open {hard} processes. Raise the hard limit of \
         processes or lower minprocs."
    )]
    Processes {
        /// What the configuration demands.
        wanted: u64,
        /// The hard limit in force.
        hard: u64,
    },
}

/// Raises the soft limits to at least `minfds` and `minprocs`, for root the hard ones as well.
///
/// Returns the lines for the log, one for each limit that was raised. Limits that are high enough
/// stay.
pub fn raise(minfds: i64, minprocs: i64) -> Result<Vec<String>, LimitError> {
    let files = raise_one(Resource::RLIMIT_NOFILE, minfds)
        .map_err(|Short { wanted, hard }| LimitError::Files { wanted, hard })?;
    let processes = raise_one(Resource::RLIMIT_NPROC, minprocs)
        .map_err(|Short { wanted, hard }| LimitError::Processes { wanted, hard })?;
    let raised = [("RLIMIT_NOFILE", files), ("RLIMIT_NPROC", processes)];
    Ok(raised
        .into_iter()
        .filter_map(|(name, limit)| Some(format!("Increased {name} limit to {}", limit?)))
        .collect())
}

/// Descriptors that programs may not take: an operator must get in, logs rotate, and the configuration be read.
const RESERVE: rlim_t = 16;

/// Whether there are still enough descriptors for the daemon itself when the newest one has this number: the system
/// hands out the lowest that is free.
pub fn leaves_some(newest: BorrowedFd<'_>) -> bool {
    let limit = getrlimit(Resource::RLIMIT_NOFILE).map_or(rlim_t::MAX, |(soft, _)| soft);
    let newest = rlim_t::try_from(newest.as_raw_fd()).unwrap_or(0);
    leaves_some_of(limit, newest)
}

fn leaves_some_of(limit: rlim_t, newest: rlim_t) -> bool {
    newest < limit - RESERVE.min(limit / 8)
}

struct Short {
    wanted: rlim_t,
    hard: rlim_t,
}

/// The new limit, if it had to be changed.
fn raise_one(resource: Resource, wanted: i64) -> Result<Option<rlim_t>, Short> {
    let Ok(wanted) = rlim_t::try_from(wanted) else {
        return Ok(None);
    };
    let Ok((soft, hard)) = getrlimit(resource) else {
        return Ok(None);
    };
    // RLIM_INFINITY is the largest number there is.
    const { assert!(RLIM_INFINITY == rlim_t::MAX) };
    if soft >= wanted {
        return Ok(None);
    }
    match setrlimit(resource, wanted, hard.max(wanted)) {
        Ok(()) => Ok(Some(wanted)),
        Err(_) => Err(Short { wanted, hard }),
    }
}

#[cfg(test)]
mod tests {
    use nix::unistd::{Uid, setuid};

    use super::*;
    use crate::sys::testing::in_own_process;

    #[test]
    fn the_last_descriptors_are_left() {
        let rows = [
            (1024, 1007, true),
            (1024, 1008, false),
            (64, 55, true),
            (64, 56, false),
            (3, 10, false),
            (rlim_t::MAX, 1_000_000, true),
        ];
        for (limit, newest, expected) in rows {
            assert_eq!(
                leaves_some_of(limit, newest),
                expected,
                "{newest} of {limit}"
            );
        }
    }

    #[test]
    fn soft_limits_rise_to_what_is_demanded() {
        in_own_process(
            "sys::limits::tests::soft_limits_rise_to_what_is_demanded",
            || {
                setrlimit(Resource::RLIMIT_NOFILE, 100, 300).unwrap();
                assert_eq!(
                    raise(200, 1).unwrap(),
                    ["Increased RLIMIT_NOFILE limit to 200"]
                );
                assert_eq!(getrlimit(Resource::RLIMIT_NOFILE).unwrap(), (200, 300));
                assert_eq!(raise(150, -1).unwrap(), [""; 0]);
            },
        );
    }

    #[test]
    fn a_hard_limit_is_shown_as_it_is() {
        in_own_process("sys::limits::tests::a_hard_limit_is_shown_as_it_is", || {
            setrlimit(Resource::RLIMIT_NOFILE, 100, 300).unwrap();
            if Uid::current().is_root() {
                setuid(Uid::from_raw(65534)).unwrap();
            }
            let error = raise(1000, 1).unwrap_err();
            assert_eq!(
                error,
                LimitError::Files {
                    wanted: 1000,
                    hard: 300
                }
            );
            let text = error.to_string();
            assert!(
                text.contains("process is 1000 as per the \"minfds\""),
                "{text}"
            );
            assert!(text.contains("to open 300 file descriptors"), "{text}");
        });
    }
}
