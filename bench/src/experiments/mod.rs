//! What is measured. An experiment gives several figures, a row of the table each.

mod events;
pub(crate) mod lives;
mod logs;
mod requests;
pub(crate) mod tools;

use crate::error::Error;
use crate::server::Install;

/// Which way is up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Better {
    /// Times, memory.
    Less,
    /// Rates.
    More,
}

/// What a figure ought to reach.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Wanted {
    /// This much.
    Value(f64),
    /// This many times what bare programs reach.
    Floor(f64),
    /// Nothing in particular: it explains another figure.
    Nothing,
}

/// A row of the table.
#[derive(Debug, Clone)]
pub(crate) struct Figure {
    /// What it is.
    pub(crate) label: String,
    /// Its unit.
    pub(crate) unit: &'static str,
    /// Which way is up.
    pub(crate) better: Better,
    /// What it ought to reach.
    pub(crate) wanted: Wanted,
}

impl Figure {
    fn less(label: impl Into<String>, unit: &'static str, wanted: Wanted) -> Self {
        let (label, better) = (label.into(), Better::Less);
        Self {
            label,
            unit,
            better,
            wanted,
        }
    }

    fn more(label: impl Into<String>, unit: &'static str, wanted: Wanted) -> Self {
        let (label, better) = (label.into(), Better::More);
        Self {
            label,
            unit,
            better,
            wanted,
        }
    }
}

/// Measures an implementation: a number for each figure.
type Run = Box<dyn Fn(&Install) -> Result<Vec<f64>, Error>>;

/// Measures bare programs: numbers for the first figures.
type Floor = Box<dyn Fn() -> Result<Vec<f64>, Error>>;

/// Figures that come out of one run.
pub(crate) struct Experiment {
    /// What `--only` knows it by.
    pub(crate) name: String,
    /// Long ones are not repeated more often.
    pub(crate) most_rounds: usize,
    /// The rows.
    pub(crate) figures: Vec<Figure>,
    /// How it is measured.
    pub(crate) run: Run,
    /// The same work by bare programs.
    pub(crate) floor: Option<Floor>,
}

impl Experiment {
    fn new(
        name: impl Into<String>,
        figures: Vec<Figure>,
        run: impl Fn(&Install) -> Result<Vec<f64>, Error> + 'static,
    ) -> Self {
        let (name, run) = (name.into(), Box::new(run));
        Self {
            name,
            most_rounds: usize::MAX,
            figures,
            run,
            floor: None,
        }
    }

    fn floor(mut self, floor: impl Fn() -> Result<Vec<f64>, Error> + 'static) -> Self {
        self.floor = Some(Box::new(floor));
        self
    }

    fn at_most(mut self, rounds: usize) -> Self {
        self.most_rounds = rounds;
        self
    }
}

/// All of them, in the order of the table; `quick` ones use less data.
pub(crate) fn all(quick: bool) -> Vec<Experiment> {
    let mut all = lives::experiments(quick);
    all.extend(logs::experiments(quick));
    all.extend(events::experiments(quick));
    all.extend(requests::experiments(quick));
    all.extend(tools::experiments(quick));
    all
}

/// The command line of a workload, for `command=`.
fn workload(words: &str) -> Result<String, Error> {
    use crate::error::About;
    let own = std::env::current_exe().about("find ourselves")?;
    Ok(format!("{} workload {words}", own.display()))
}
