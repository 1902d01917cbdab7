//! Rounds in turn, medians, and the table.

use std::time::Instant;

use crate::error::Error;
use crate::experiments::{self, Better, Experiment, Figure, Wanted};
use crate::meter::median;
use crate::options::Options;
use crate::server::Install;
use crate::{print, warn};

/// Whoever needs longer for a round is measured only once.
const LONG_ROUND: f64 = 30.0;

/// What a row is measured on.
enum Subject<'a> {
    Floor,
    Daemon(&'a Install),
}

/// The medians of one figure; NaN where there is none.
#[derive(Debug, Clone, Copy)]
struct Medians {
    ours: f64,
    original: f64,
    floor: f64,
}

/// Measures what was asked for and prints a Markdown table, row by row.
pub(crate) fn run(options: &Options) -> Result<(), Error> {
    let experiments = experiments::all(options.quick);
    let mut wanted = experiments
        .iter()
        .filter(|experiment| options.wants(&experiment.name));
    if options.list {
        wanted.for_each(|experiment| print(&experiment.name));
        return Ok(());
    }
    let ours = Install::ours(options.ours.clone())?;
    let original = Install::original();
    let subjects = [
        Subject::Floor,
        Subject::Daemon(&ours),
        Subject::Daemon(&original),
    ];
    print("| | wanted | ours | original | ratio | bare | ours to bare | |");
    print("|---|---|---|---|---|---|---|---|");
    wanted.try_for_each(|experiment| {
        let rounds = options.rounds.min(experiment.most_rounds);
        for (figure, medians) in experiment
            .figures
            .iter()
            .zip(measure(experiment, &subjects, rounds))
        {
            print(&row(figure, medians));
        }
        Ok(())
    })
}

/// Measures all subjects in turn and answers the medians, figure by figure.
fn measure(experiment: &Experiment, subjects: &[Subject<'_>; 3], rounds: usize) -> Vec<Medians> {
    let mut series: [Vec<Vec<f64>>; 3] = Default::default();
    let mut given_up = [false; 3];
    for round in 1..=rounds {
        for (at, subject) in subjects.iter().enumerate() {
            if given_up[at] {
                continue;
            }
            let start = Instant::now();
            match once(experiment, subject) {
                Ok(figures) => series[at].push(figures),
                Err(error) => {
                    warn(&format!(
                        "{}: {}: {error}",
                        experiment.name,
                        subject.label()
                    ));
                    given_up[at] = true;
                }
            }
            given_up[at] |= start.elapsed().as_secs_f64() > LONG_ROUND;
            let latest = series[at].last().map(|figures| format!("{figures:.2?}"));
            let latest = latest.unwrap_or_default();
            warn(&format!(
                "{} {round}/{rounds} {}: {latest}",
                experiment.name,
                subject.label()
            ));
        }
    }
    let of = |at: usize, figure: usize| {
        let values = series[at]
            .iter()
            .filter_map(|figures| figures.get(figure).copied());
        median(&values.collect::<Vec<f64>>())
    };
    let figures = 0..experiment.figures.len();
    figures
        .map(|figure| Medians {
            floor: of(0, figure),
            ours: of(1, figure),
            original: of(2, figure),
        })
        .collect()
}

impl Subject<'_> {
    fn label(&self) -> &'static str {
        match self {
            Self::Floor => "bare",
            Self::Daemon(install) => install.label,
        }
    }
}

/// One measurement; no figures where there are no bare programs to compare with.
fn once(experiment: &Experiment, subject: &Subject<'_>) -> Result<Vec<f64>, Error> {
    match (subject, &experiment.floor) {
        (Subject::Daemon(install), _) => (experiment.run)(install),
        (Subject::Floor, Some(floor)) => floor(),
        (Subject::Floor, None) => Ok(Vec::new()),
    }
}

/// A row of the table.
fn row(figure: &Figure, medians: Medians) -> String {
    let Medians {
        ours,
        original,
        floor,
    } = medians;
    let unit = figure.unit;
    let quotient = match figure.better {
        Better::Less => original / ours,
        Better::More => ours / original,
    };
    format!(
        "| {} | {} | {} | {} | {} | {} | {} | {} |",
        figure.label,
        wanted(figure),
        with_unit(ours, unit),
        with_unit(original, unit),
        times(quotient),
        with_unit(floor, unit),
        times(ours / floor),
        verdict(figure, ours, floor),
    )
}

/// What the figure ought to reach, in words.
fn wanted(figure: &Figure) -> String {
    let sign = match figure.better {
        Better::Less => "≤",
        Better::More => "≥",
    };
    match figure.wanted {
        Wanted::Value(value) => format!("{sign} {}", with_unit(value, figure.unit)),
        Wanted::Floor(times) => format!("{sign} {times} × bare"),
        Wanted::Nothing => String::new(),
    }
}

/// Whether it reaches that; nothing if nothing can be said.
fn verdict(figure: &Figure, ours: f64, floor: f64) -> &'static str {
    let bound = match figure.wanted {
        Wanted::Value(value) => value,
        Wanted::Floor(times) => times * floor,
        Wanted::Nothing => f64::NAN,
    };
    match figure.better {
        _ if bound.is_nan() => "",
        Better::Less if ours <= bound => "ok",
        Better::More if ours >= bound => "ok",
        _ => "**no**",
    }
}

fn times(value: f64) -> String {
    if value.is_finite() {
        format!("{} ×", number(value))
    } else {
        String::new()
    }
}

fn with_unit(value: f64, unit: &str) -> String {
    if value.is_nan() {
        "–".to_owned()
    } else {
        format!("{} {unit}", number(value)).trim().to_owned()
    }
}

/// Three significant digits, no exponent.
pub(crate) fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 || value == 0.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 0.1 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(better: Better, wanted: Wanted) -> Figure {
        Figure {
            label: "x".to_owned(),
            unit: "ms",
            better,
            wanted,
        }
    }

    #[test]
    fn rows_compare_and_judge() {
        let medians = Medians {
            ours: 2.0,
            original: 30.0,
            floor: 1.0,
        };
        let rows = [
            (
                Better::Less,
                Wanted::Value(4.0),
                "| x | ≤ 4.00 ms | 2.00 ms | 30.0 ms | 15.0 × | 1.00 ms | 2.00 × | ok |",
            ),
            (
                Better::Less,
                Wanted::Floor(1.5),
                "| x | ≤ 1.5 × bare | 2.00 ms | 30.0 ms | 15.0 × | 1.00 ms | 2.00 × | **no** |",
            ),
            (
                Better::More,
                Wanted::Nothing,
                "| x |  | 2.00 ms | 30.0 ms | 0.067 × | 1.00 ms | 2.00 × |  |",
            ),
        ];
        for (better, wanted, want) in rows {
            assert_eq!(row(&figure(better, wanted), medians), want);
        }
    }

    #[test]
    fn what_is_missing_is_a_dash_and_not_reached() {
        let medians = Medians {
            ours: f64::NAN,
            original: f64::NAN,
            floor: f64::NAN,
        };
        let row = row(&figure(Better::More, Wanted::Value(1.0)), medians);
        assert_eq!(row, "| x | ≥ 1.00 ms | – | – |  | – |  | **no** |");
    }
}
