//! Typed access to the options of a section: look up, expand, convert, and say where it went wrong.

use std::borrow::Cow;
use std::path::Path;

use crate::convert::{Context, Invalid};
use crate::document::{Document, Place, Section, Value};
use crate::error::{ConfigError, Location, OptionError, Reason};
use crate::expand::{ExpandError, Names, Replacement, expand};
use crate::model::Environment;
use crate::table::{About, Absent, Scope, Typed};

/// Everything that option values depend on besides their section.
#[derive(Debug)]
pub(crate) struct Source<'a> {
    pub(crate) document: &'a Document,
    pub(crate) context: Context<'a>,
    /// What `%(ENV_X)s` stands for.
    pub(crate) environment: Environment,
    /// Name of this machine.
    pub(crate) node: String,
}

impl<'a> Source<'a> {
    /// A source whose `%(ENV_X)s` are the process's own variables.
    pub(crate) fn new(
        document: &'a Document,
        start_dir: &'a Path,
        environment: &'a Environment,
    ) -> Self {
        let home = environment.get("HOME").map(String::as_str);
        let node = nix::sys::utsname::uname();
        Self {
            document,
            context: Context::new(start_dir, home.filter(|home| !home.is_empty())),
            environment: environment.clone(),
            node: node.map_or_else(
                |_| String::new(),
                |names| names.nodename().to_string_lossy().into_owned(),
            ),
        }
    }

    /// A section as it is read outside of any program.
    pub(crate) fn view<'v>(&'v self, section: &'v Section) -> View<'v> {
        View {
            source: self,
            section,
            program: "",
            group: "",
            number: None,
            own: None,
        }
    }
}

/// One section as one reader sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View<'v> {
    pub(crate) source: &'v Source<'v>,
    pub(crate) section: &'v Section,
    /// `%(program_name)s`
    pub(crate) program: &'v str,
    /// `%(group_name)s`
    pub(crate) group: &'v str,
    /// `%(process_num)d` and `%(numprocs)d`
    pub(crate) number: Option<(i64, i64)>,
    /// The program's own variables, once they are known.
    pub(crate) own: Option<&'v Environment>,
}

impl<'v> View<'v> {
    /// The value of an option; `None` if it is not set and has no default.
    pub(crate) fn get<T>(&self, row: &Typed<T>) -> Result<Option<T>, ConfigError> {
        self.read(row, row.about.scope, |_, invalid| invalid.into())
    }

    /// The same, with other names than usual.
    pub(crate) fn get_in<T>(&self, row: &Typed<T>, scope: Scope) -> Result<Option<T>, ConfigError> {
        self.read(row, scope, |_, invalid| invalid.into())
    }

    /// The same, with a message of its own for a bad text.
    pub(crate) fn get_or<T>(
        &self,
        row: &Typed<T>,
        refuse: impl FnOnce(String, Invalid) -> Reason,
    ) -> Result<Option<T>, ConfigError> {
        self.read(row, row.about.scope, refuse)
    }

    /// The value of an option that has a default or must be set.
    pub(crate) fn value<T>(&self, row: &Typed<T>) -> Result<T, ConfigError> {
        self.get(row)?.ok_or_else(|| self.missing(row))
    }

    /// The text of an option as it stands in the file.
    pub(crate) fn raw(&self, key: &str) -> Option<&'v Value> {
        self.source.document.value(self.section, key)
    }

    fn read<T>(
        &self,
        row: &Typed<T>,
        scope: Scope,
        refuse: impl FnOnce(String, Invalid) -> Reason,
    ) -> Result<Option<T>, ConfigError> {
        let about = &row.about;
        let (text, place) = match (self.raw(about.key), about.absent) {
            (Some(value), _) => (value.text.as_str(), &value.place),
            (None, Absent::Default(text)) => (text, &self.section.place),
            (None, Absent::Unset(_) | Absent::Required(_)) => return Ok(None),
        };
        let text = self
            .expanded(about, text, scope, &place.file.here)
            .map_err(|error| error_at(error.into(), place, Some(about.key)))?;
        (row.kind.convert)(&text, &self.source.context)
            .map(Some)
            .map_err(|invalid| error_at(refuse(text.into_owned(), invalid), place, Some(about.key)))
    }

    fn expanded<'t>(
        &self,
        about: &About,
        text: &'t str,
        scope: Scope,
        here: &str,
    ) -> Result<Cow<'t, str>, ExpandError> {
        if !text.contains('%') {
            return Ok(Cow::Borrowed(text));
        }
        let whole = || format!("{}.{}", self.section.name, about.key);
        let what = about.label.map_or_else(whole, str::to_owned);
        expand(
            text,
            &what,
            &Scoped {
                view: self,
                scope,
                here,
            },
        )
    }

    /// A required option is not there.
    pub(crate) fn missing<T>(&self, row: &Typed<T>) -> ConfigError {
        let message = match row.about.absent {
            Absent::Required(message) => message,
            Absent::Default(_) | Absent::Unset(_) => "section [{}] lacks an option",
        };
        self.section_error(Reason::Required {
            message,
            section: self.section.name.to_string(),
        })
    }

    /// A problem of the whole section.
    pub(crate) fn section_error(&self, reason: Reason) -> ConfigError {
        error_at(reason, &self.section.place, None)
    }

    /// A problem of one option, wherever it is set.
    pub(crate) fn option_error<T>(&self, row: &Typed<T>, reason: Reason) -> ConfigError {
        match self.raw(row.about.key) {
            Some(value) => error_at(reason, &value.place, Some(row.about.key)),
            None => self.section_error(reason),
        }
    }
}

fn error_at(reason: Reason, place: &Place, option: Option<&'static str>) -> ConfigError {
    Box::new(OptionError {
        reason,
        process: None,
        location: Some(Location {
            file: place.file.spelled.clone(),
            line: place.line,
            option,
        }),
    })
    .into()
}

/// The names that a scope allows, in a file of a given directory.
struct Scoped<'s> {
    view: &'s View<'s>,
    scope: Scope,
    here: &'s str,
}

impl Names for Scoped<'_> {
    fn get(&self, name: &str) -> Option<Replacement<'_>> {
        let view = self.view;
        if let Some(variable) = name.strip_prefix("ENV_") {
            let own = view.own.filter(|_| self.scope == Scope::Process);
            return own
                .and_then(|own| own.get(variable))
                .or_else(|| view.source.environment.get(variable))
                .map(|value| Replacement::Text(value));
        }
        if !self.scope.names().contains(&name) {
            return None;
        }
        match name {
            "here" => Some(Replacement::Text(self.here)),
            "host_node_name" => Some(Replacement::Text(&view.source.node)),
            "program_name" => Some(Replacement::Text(view.program)),
            "group_name" => Some(Replacement::Text(view.group)),
            "process_num" => view.number.map(|(number, _)| Replacement::Number(number)),
            "numprocs" => view.number.map(|(_, count)| Replacement::Number(count)),
            _ => None,
        }
    }

    fn all(&self) -> Vec<String> {
        let own = self.view.own.filter(|_| self.scope == Scope::Process);
        let variables = self.view.source.environment.keys();
        variables
            .chain(own.into_iter().flat_map(Environment::keys))
            .map(|name| format!("ENV_{name}"))
            .chain(self.scope.names().iter().map(|&name| name.to_owned()))
            .collect()
    }
}
