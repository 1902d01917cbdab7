//! What is wrong with a configuration: readers tell it here and go on, so that one run finds all.

use std::cell::RefCell;
use std::collections::HashSet;

use crate::error::{ConfigError, Location};

/// Errors in the order of their discovery. The first is what a start reports.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    told: RefCell<Vec<ConfigError>>,
    /// Place and message of option errors: the processes of a section share their mistakes.
    known: RefCell<HashSet<(Option<Location>, String)>>,
}

impl Problems {
    /// Adds an error, unless the same has been told of the same place.
    pub(crate) fn tell(&self, error: impl Into<ConfigError>) {
        let error = error.into();
        let key = match &error {
            ConfigError::Option(error) => (error.location.clone(), error.reason.to_string()),
            other => (None, other.to_string()),
        };
        if self.known.borrow_mut().insert(key) {
            self.told.borrow_mut().push(error);
        }
    }

    /// All errors.
    pub(crate) fn into_vec(self) -> Vec<ConfigError> {
        self.told.into_inner()
    }

    /// The value, if nothing was wrong; else the first error. A value that is missing without an
    /// error can only be the section that was looked for.
    pub(crate) fn verdict<T>(
        self,
        value: Option<T>,
        section: &'static str,
    ) -> Result<T, ConfigError> {
        match self.into_vec().into_iter().next() {
            Some(first) => Err(first),
            None => value.ok_or(ConfigError::NoSection(section)),
        }
    }
}
