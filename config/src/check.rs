//! `supervisord --check`: everything that is wrong with a configuration, for people and for programs.

use std::fmt;

use serde::Serialize;

use crate::cli::CommandLine;
use crate::error::{ConfigError, OptionError, Reason};
use crate::judge::{Credulous, Judge};
use crate::load::load;
use crate::locate;
use crate::model::{Environment, LogLevel};
use crate::problems::Problems;
use crate::reader::SyntaxError;
use crate::remark::Remark;
use crate::supervisorctl;
use crate::table::{SectionKind, accepted, rows_of};

/// Whether a configuration can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The daemon, or supervisorctl, refuses it.
    Error,
    /// It is accepted, but something in it has no effect or is probably a mistake.
    Warning,
}

/// One finding. The field names are those of the JSON form and stay as they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// How bad.
    pub severity: Severity,
    /// The file, as it was named with `-c` or found by an include pattern.
    pub file: Option<String>,
    /// The line, from 1.
    pub line: Option<usize>,
    /// The section, without brackets.
    pub section: Option<String>,
    /// The option.
    pub option: Option<String>,
    /// What is wrong, in Supervisor's words where it says something too.
    pub message: String,
    /// What may be written instead.
    pub accepted: Option<String>,
    /// What was probably meant, for names that are not known.
    pub suggestion: Option<String>,
}

/// Everything there is to say about a configuration, by file and line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The main file, if one was found.
    pub file: Option<String>,
    /// How many errors there are; without any the configuration can be used.
    pub errors: usize,
    /// How many warnings there are.
    pub warnings: usize,
    /// Both, by place: the main file first, what has no place before anything else.
    pub diagnostics: Vec<Diagnostic>,
}

/// Checks the configuration that a command line names, as far as that is possible without starting
/// anything: `[supervisorctl]` too. `env` is the process's own environment.
pub fn check(cmd: &CommandLine, env: &Environment) -> Report {
    check_to_serve(cmd, env, &Credulous)
}

/// The same, passwords and certificates included.
pub fn check_to_serve(cmd: &CommandLine, env: &Environment, judge: &dyn Judge) -> Report {
    let file = match locate::config_file(cmd, env.get("PATH").map(String::as_str)) {
        Ok(file) => file,
        Err(error) => return Report::new(None, diagnose(error, None)),
    };
    let problems = Problems::default();
    let mut remarks = Vec::new();
    load(&file, cmd, env, judge, &problems, &mut remarks);
    supervisorctl::settings(&file, &cmd.start_dir, env, &problems);
    let main = Some(file.spelled.as_str());
    let errors = problems.into_vec().into_iter();
    let errors = errors.flat_map(|error| diagnose(error, main));
    let warnings = remarks.into_iter().filter_map(Diagnostic::of_remark);
    let diagnostics = errors.chain(warnings).collect();
    Report::new(Some(file.spelled), diagnostics)
}

impl Report {
    fn new(file: Option<String>, mut diagnostics: Vec<Diagnostic>) -> Self {
        let mut files: Vec<Option<String>> = vec![None, file.clone()];
        for diagnostic in &diagnostics {
            if !files.contains(&diagnostic.file) {
                files.push(diagnostic.file.clone());
            }
        }
        diagnostics.sort_by_key(|diagnostic| {
            let file = files.iter().position(|file| *file == diagnostic.file);
            (file, diagnostic.line)
        });
        let count = |severity| {
            let found = diagnostics
                .iter()
                .filter(|found| found.severity == severity);
            found.count()
        };
        Self {
            errors: count(Severity::Error),
            warnings: count(Severity::Warning),
            file,
            diagnostics,
        }
    }

    /// There is no error.
    pub const fn is_usable(&self) -> bool {
        self.errors == 0
    }

    /// The report as one JSON object, without a line end.
    ///
    /// # Errors
    /// None that is known: the type demands it.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self)
    }
}

/// A line for each finding, and one that counts them.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for diagnostic in &self.diagnostics {
            writeln!(f, "{diagnostic}")?;
        }
        if let Some(file) = &self.file {
            write!(f, "{file}: ")?;
        }
        let (errors, warnings) = (self.errors, self.warnings);
        writeln!(
            f,
            "{}, {}",
            counted(errors, "error"),
            counted(warnings, "warning")
        )
    }
}

fn counted(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

/// `file:line: error: [section] option: message (accepted: ...)`, leaving out what there is not.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{file}:")?;
            if let Some(line) = self.line {
                write!(f, "{line}:")?;
            }
            f.write_str(" ")?;
        }
        f.write_str(match self.severity {
            Severity::Error => "error: ",
            Severity::Warning => "warning: ",
        })?;
        if let Some(section) = &self.section {
            write!(f, "[{section}] ")?;
        }
        if let Some(option) = &self.option {
            write!(f, "{option}: ")?;
        }
        f.write_str(&one_line(&self.message))?;
        if let Some(accepted) = &self.accepted {
            write!(f, " (accepted: {accepted})")?;
        }
        Ok(())
    }
}

fn one_line(text: &str) -> String {
    text.replace('\n', "\\n").replace('\r', "\\r")
}

impl Diagnostic {
    fn error(file: Option<&str>, message: String) -> Self {
        Self {
            severity: Severity::Error,
            file: file.map(str::to_owned),
            line: None,
            section: None,
            option: None,
            message,
            accepted: None,
            suggestion: None,
        }
    }

    /// What a remark warns of; some only inform.
    fn of_remark(remark: Remark) -> Option<Self> {
        let (file, line) = match remark.place {
            Some(place) => (Some(place.file.spelled.clone()), Some(place.line)),
            None => (None, None),
        };
        (remark.level <= LogLevel::Warn).then_some(Self {
            severity: Severity::Warning,
            file,
            line,
            section: remark.section,
            option: remark.option,
            message: remark.text,
            accepted: None,
            suggestion: remark.suggestion,
        })
    }

    fn of_option(error: OptionError) -> Self {
        let place = error.location.as_ref();
        let option = place.and_then(|place| place.option);
        let option = option.or(error.reason.missing_option());
        let kind = error.section.as_deref().and_then(SectionKind::of);
        let row = kind
            .into_iter()
            .flat_map(rows_of)
            .find(|row| Some(row.about().key) == option);
        Self {
            line: place.map(|place| place.line),
            option: option.map(str::to_owned),
            accepted: row.map(accepted),
            section: error.section,
            ..Self::error(
                place.map(|place| place.file.as_str()),
                error.reason.to_string(),
            )
        }
    }
}

impl Reason {
    /// The option that should be there.
    const fn missing_option(&self) -> Option<&'static str> {
        match self {
            Self::Required { option, .. } => Some(option),
            Self::NoFiles => Some("files"),
            _ => None,
        }
    }
}

/// One error is one finding, except that every line that is no syntax is one.
fn diagnose(error: ConfigError, main: Option<&str>) -> Vec<Diagnostic> {
    match error {
        ConfigError::Option(error) => vec![Diagnostic::of_option(*error)],
        ConfigError::Syntax(error) => of_syntax(error),
        ConfigError::Missing(_)
        | ConfigError::Unreadable(_)
        | ConfigError::NotFound(_)
        | ConfigError::NoSection(_) => vec![Diagnostic::error(main, error.to_string())],
    }
}

fn of_syntax(error: SyntaxError) -> Vec<Diagnostic> {
    let header = "a section header: `[name]`".to_owned();
    let at = |file: &str, line, message, accepted| Diagnostic {
        line,
        accepted,
        ..Diagnostic::error(Some(file), message)
    };
    match &error {
        SyntaxError::Encoding { file, .. } => {
            vec![at(file, None, error.to_string(), Some("UTF-8".to_owned()))]
        }
        SyntaxError::NoSection { file, line, text } => {
            let text = crate::python_repr(text.trim_end());
            let message = format!("File contains no section headers: {text}");
            vec![at(file, Some(*line), message, Some(header))]
        }
        SyntaxError::Lines { file, lines } => {
            let lines = lines.iter().map(|(line, text)| {
                let text = crate::python_repr(text.trim_end());
                let accepted = format!("`option = value`, or {header}");
                at(
                    file,
                    Some(*line),
                    format!("Source contains parsing errors: {text}"),
                    Some(accepted),
                )
            });
            lines.collect()
        }
    }
}

#[cfg(test)]
mod tests;
