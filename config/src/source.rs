//! Typed access to the options of a section: look up, expand, convert, and say where it went wrong.

use std::borrow::Cow;
use std::path::Path;

use crate::convert::{Context, Invalid, name};
use crate::document::{Document, Place, Section, Value};
use crate::error::{Location, OptionError, Reason};
use crate::expand::{ExpandError, Names, Replacement, expand};
use crate::judge::{Credulous, Judge};
use crate::model::Environment;
use crate::problems::Problems;
use crate::python::strip;
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
    /// Where errors are told.
    pub(crate) problems: &'a Problems,
    /// What is merely doubtful is refused, where `strict` says so.
    pub(crate) strict: bool,
    /// Who knows what servers can use.
    pub(crate) judge: &'a dyn Judge,
}

impl<'a> Source<'a> {
    /// A source whose `%(ENV_X)s` are the process's own variables.
    pub(crate) fn new(
        document: &'a Document,
        start_dir: &'a Path,
        environment: &'a Environment,
        problems: &'a Problems,
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
            problems,
            strict: false,
            judge: &Credulous,
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
            of_process: false,
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
    /// Errors name the section as the home of a process.
    pub(crate) of_process: bool,
}

/// The value of an option has been refused, and that has been told.
struct Refused;

/// Nothing here stops at an error: it is told, and the default holds instead, if there is one.
impl<'v> View<'v> {
    /// The value of an option; `None` if it is not set and has no default, or has been refused.
    pub(crate) fn get<T>(&self, row: &Typed<T>) -> Option<T> {
        self.get_in(row, row.about.scope)
    }

    /// The same, with other names than usual.
    pub(crate) fn get_in<T>(&self, row: &Typed<T>, scope: Scope) -> Option<T> {
        let value = self.read(row, scope, |_, invalid| invalid.into());
        value.ok().flatten()
    }

    /// The same, with a message of its own for a bad text.
    pub(crate) fn get_or<T>(
        &self,
        row: &Typed<T>,
        refuse: impl FnOnce(String, Invalid) -> Reason,
    ) -> Option<T> {
        self.read(row, row.about.scope, refuse).ok().flatten()
    }

    /// The value of an option that has a default or must be set; `None` has been told.
    pub(crate) fn value<T>(&self, row: &Typed<T>) -> Option<T> {
        self.value_or(row, |_, invalid| invalid.into())
    }

    /// The same, with a message of its own for a bad text.
    pub(crate) fn value_or<T>(
        &self,
        row: &Typed<T>,
        refuse: impl FnOnce(String, Invalid) -> Reason,
    ) -> Option<T> {
        let value = self.read(row, row.about.scope, refuse).ok()?;
        if value.is_none() {
            self.tell_missing(row);
        }
        value
    }

    /// The text of an option as it stands in the file.
    pub(crate) fn raw(&self, key: &str) -> Option<&'v Value> {
        self.source.document.value(self.section, key)
    }

    /// The part of the section's name after the colon.
    pub(crate) fn written_name(&self) -> &'v str {
        let name = self.section.name.split_once(':');
        name.map_or("", |(_, name)| name)
    }

    /// The same, trimmed, once a name that may not be has been told of.
    pub(crate) fn checked_name(&self) -> &'v str {
        let written = self.written_name();
        name(written).unwrap_or_else(|invalid| {
            self.tell_section(invalid);
            strip(written)
        })
    }

    fn read<T>(
        &self,
        row: &Typed<T>,
        scope: Scope,
        refuse: impl FnOnce(String, Invalid) -> Reason,
    ) -> Result<Option<T>, Refused> {
        let about = &row.about;
        if let Some(value) = self.raw(about.key) {
            match self.converted(row, scope, value, refuse) {
                Ok(converted) => return Ok(Some(converted)),
                Err(reason) => self.tell_at(reason, &value.place, Some(about.key)),
            }
        }
        match (self.raw(about.key), about.absent) {
            (_, Absent::Default(text)) => self.default(row, scope, text).map(Some),
            (Some(_), _) => Err(Refused),
            (None, _) => Ok(None),
        }
    }

    fn converted<T>(
        &self,
        row: &Typed<T>,
        scope: Scope,
        value: &Value,
        refuse: impl FnOnce(String, Invalid) -> Reason,
    ) -> Result<T, Reason> {
        let here = &value.place.file.here;
        let text = self.expanded(&row.about, &value.text, scope, here)?;
        (row.kind.convert)(&text, &self.source.context)
            .map_err(|invalid| refuse(text.into_owned(), invalid))
    }

    /// What a default text means; it can be wrong too, when it depends on the file system.
    fn default<T>(&self, row: &Typed<T>, scope: Scope, text: &str) -> Result<T, Refused> {
        let place = &self.section.place;
        let value = self
            .expanded(&row.about, text, scope, &place.file.here)
            .map_err(Reason::from)
            .and_then(|text| Ok((row.kind.convert)(&text, &self.source.context)?));
        value.map_err(|reason| {
            self.tell_at(reason, place, Some(row.about.key));
            Refused
        })
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
    pub(crate) fn tell_missing<T>(&self, row: &Typed<T>) {
        let message = match row.about.absent {
            Absent::Required(message) => message,
            Absent::Default(_) | Absent::Unset(_) => "section [{}] lacks an option",
        };
        self.tell_section(Reason::Required {
            message,
            section: self.section.name.to_string(),
            option: row.about.key,
        });
    }

    /// A problem of the whole section.
    pub(crate) fn tell_section(&self, reason: impl Into<Reason>) {
        self.tell_at(reason.into(), &self.section.place, None);
    }

    /// A problem of one option, wherever it is set.
    pub(crate) fn tell<T>(&self, row: &Typed<T>, reason: Reason) {
        match self.raw(row.about.key) {
            Some(value) => self.tell_at(reason, &value.place, Some(row.about.key)),
            None => self.tell_section(reason),
        }
    }

    fn tell_at(&self, reason: Reason, place: &Place, option: Option<&'static str>) {
        let section = &self.section;
        let process = (section.name.to_string(), section.place.file.spelled.clone());
        self.source.problems.tell(Box::new(OptionError {
            reason,
            section: Some(section.name.to_string()),
            process: self.of_process.then_some(process),
            location: Some(Location {
                file: place.file.spelled.clone(),
                line: place.line,
                option,
            }),
        }));
    }
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
