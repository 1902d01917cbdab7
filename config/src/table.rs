//! The option table: every option of the configuration file, declared once.
//!
//! A row says where an option belongs, what it may be, what holds when it is missing, which names
//! its value may use, what a reread does with a new value, and what it is for. Loading, the command
//! line, unknown-key remarks, the sample configuration and the reference come from these rows.

mod groups;
mod programs;
mod servers;
mod supervisord;
mod users;

use std::path::Path;

use crate::convert::{Context, Invalid, ValueType};

pub(crate) use groups::*;
pub(crate) use programs::*;
pub(crate) use servers::*;
pub(crate) use supervisord::*;
pub(crate) use users::*;

/// The kinds of sections that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // named like their sections
pub enum SectionKind {
    Supervisord,
    UnixHttpServer,
    InetHttpServer,
    RpcInterface,
    Supervisorctl,
    CtlPlugin,
    Program,
    FcgiProgram,
    EventListener,
    Group,
    Include,
    User,
}

impl SectionKind {
    /// Every kind, in the order of the sample configuration.
    pub const ALL: [Self; 12] = [
        Self::UnixHttpServer,
        Self::InetHttpServer,
        Self::Supervisord,
        Self::RpcInterface,
        Self::Supervisorctl,
        Self::CtlPlugin,
        Self::Program,
        Self::FcgiProgram,
        Self::EventListener,
        Self::Group,
        Self::Include,
        Self::User,
    ];

    /// The kind of the section of this name; `None`: it means nothing to us.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| {
            let written = kind.written();
            match kind {
                Self::UnixHttpServer | Self::InetHttpServer => name.starts_with(written),
                _ if written.ends_with(':') => name.starts_with(written),
                _ => name == written,
            }
        })
    }

    /// The section's name, or what it begins with.
    pub const fn written(self) -> &'static str {
        match self {
            Self::Supervisord => "supervisord",
            Self::UnixHttpServer => "unix_http_server",
            Self::InetHttpServer => "inet_http_server",
            Self::RpcInterface => "rpcinterface:",
            Self::Supervisorctl => "supervisorctl",
            Self::CtlPlugin => "ctlplugin:",
            Self::Program => "program:",
            Self::FcgiProgram => "fcgi-program:",
            Self::EventListener => "eventlistener:",
            Self::Group => "group:",
            Self::Include => "include",
            Self::User => "user:",
        }
    }
}

/// What holds when an option is not set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absent {
    /// This text, as if it had been written.
    Default(&'static str),
    /// Nothing; the words say what that means.
    Unset(&'static str),
    /// The configuration is refused with this message, `{}` being the section.
    Required(&'static str),
}

/// Which names an option's value may use besides `ENV_*` of the daemon, see [`Scope::names`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// None.
    Environment,
    /// The directory of the file.
    Here,
    /// That and the name of the host.
    Node,
    /// What the socket of an `[fcgi-program:x]` may use.
    FcgiSocket,
    /// What all processes of a program have in common.
    Program,
    /// What one process may use, except its own variables.
    ProcessEnvironment,
    /// What one process may use, and `ENV_*` of the program's own `environment`.
    Process,
}

impl Scope {
    /// The names besides `ENV_*`.
    pub const fn names(self) -> &'static [&'static str] {
        match self {
            Self::Environment => &[],
            Self::Here => &["here"],
            Self::Node => &["here", "host_node_name"],
            Self::FcgiSocket => &["here", "program_name"],
            Self::Program => &["here", "program_name", "host_node_name", "group_name"],
            Self::ProcessEnvironment | Self::Process => &[
                "here",
                "program_name",
                "host_node_name",
                "group_name",
                "process_num",
                "numprocs",
            ],
        }
    }
}

/// What a reread does with a new value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reread {
    /// The group counts as changed, so that `update` restarts it.
    ChangesGroup,
    /// It holds from then on.
    AtOnce,
    /// Nothing: the daemon has to be restarted.
    NeedsRestart,
    /// The option decides what is read.
    DecidesWhatIsRead,
    /// The daemon does not use it.
    NotTheDaemons,
}

/// The command-line option for a row; its long name is the row's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flag {
    /// The letter, if there is one.
    pub short: Option<char>,
    /// What to call the value; `None`: the option takes none and means `true`.
    pub metavar: Option<&'static str>,
    /// A line for the usage text.
    pub help: &'static str,
}

/// All there is to know about an option but its type.
#[derive(Debug, Clone, Copy)]
pub struct About {
    /// Its name in the file.
    pub key: &'static str,
    /// The sections it may stand in.
    pub sections: &'static [SectionKind],
    /// What holds without it.
    pub absent: Absent,
    /// Least and greatest value.
    pub range: Option<(i64, i64)>,
    /// The names its value may use.
    pub scope: Scope,
    /// What to call it in messages about its value, when it is not `section.key`.
    pub label: Option<&'static str>,
    /// What a reread does.
    pub reread: Reread,
    /// On the command line.
    pub flag: Option<Flag>,
    /// What it is for.
    pub prose: &'static str,
}

impl About {
    /// Whether a number is within the option's range.
    pub(crate) fn admits(&self, value: i64) -> bool {
        self.range
            .is_none_or(|(least, greatest)| (least..=greatest).contains(&value))
    }
}

/// A row of the table, whatever the option's type.
pub trait Row: Sync {
    /// All but the type.
    fn about(&self) -> &About;
    /// The type's name.
    fn type_name(&self) -> &'static str;
    /// What may be written.
    fn accepts(&self) -> &'static str;
    /// Whether a text is a value of the type, paths being seen from `start_dir` and `~` being
    /// `home`.
    ///
    /// # Errors
    /// What is wrong with it.
    fn check(&self, text: &str, start_dir: &Path, home: Option<&str>) -> Result<(), Invalid>;
}

/// Every row, section by section.
pub fn rows() -> impl Iterator<Item = &'static dyn Row> {
    [
        supervisord::ROWS,
        servers::ROWS,
        programs::ROWS,
        groups::ROWS,
        users::ROWS,
    ]
    .into_iter()
    .flatten()
    .copied()
}

/// The rows of one kind of section.
pub fn rows_of(kind: SectionKind) -> impl Iterator<Item = &'static dyn Row> {
    rows().filter(move |row| row.about().sections.contains(&kind))
}

/// What may be written, range included.
pub fn accepted(row: &dyn Row) -> String {
    let accepts = row.accepts();
    match row.about().range {
        None => accepts.to_owned(),
        Some((i64::MIN, greatest)) => format!("{accepts}, {greatest} at most"),
        Some((least, i64::MAX)) => format!("{accepts}, {least} at least"),
        Some((least, greatest)) => format!("{accepts}, from {least} to {greatest}"),
    }
}

/// A row whose option has the type `T`.
#[derive(Debug)]
pub(crate) struct Typed<T> {
    pub(crate) about: About,
    pub(crate) kind: ValueType<T>,
}

impl<T> Typed<T> {
    /// An option that may be left out and uses `ENV_*` only; the methods below say otherwise.
    const fn new(sections: &'static [SectionKind], key: &'static str, kind: ValueType<T>) -> Self {
        Self {
            about: About {
                key,
                sections,
                absent: Absent::Unset("unset"),
                range: None,
                scope: Scope::Environment,
                label: None,
                reread: Reread::ChangesGroup,
                flag: None,
                prose: "",
            },
            kind,
        }
    }

    const fn absent(mut self, absent: Absent) -> Self {
        self.about.absent = absent;
        self
    }

    const fn default(self, text: &'static str) -> Self {
        self.absent(Absent::Default(text))
    }

    const fn range(mut self, least: i64, greatest: i64) -> Self {
        self.about.range = Some((least, greatest));
        self
    }

    const fn scope(mut self, scope: Scope) -> Self {
        self.about.scope = scope;
        self
    }

    const fn label(mut self, label: &'static str) -> Self {
        self.about.label = Some(label);
        self
    }

    const fn reread(mut self, reread: Reread) -> Self {
        self.about.reread = reread;
        self
    }

    const fn flag(mut self, short: char, help: &'static str) -> Self {
        self.about.flag = Some(Flag {
            short: Some(short),
            metavar: None,
            help,
        });
        self
    }

    const fn value_flag(
        mut self,
        short: Option<char>,
        metavar: &'static str,
        help: &'static str,
    ) -> Self {
        self.about.flag = Some(Flag {
            short,
            metavar: Some(metavar),
            help,
        });
        self
    }

    const fn prose(mut self, prose: &'static str) -> Self {
        self.about.prose = prose;
        self
    }
}

impl<T> Row for Typed<T> {
    fn about(&self) -> &About {
        &self.about
    }

    fn type_name(&self) -> &'static str {
        self.kind.name
    }

    fn accepts(&self) -> &'static str {
        self.kind.accepts
    }

    fn check(&self, text: &str, start_dir: &Path, home: Option<&str>) -> Result<(), Invalid> {
        (self.kind.convert)(text, &Context::new(start_dir, home)).map(drop)
    }
}

/// Declares rows as constants of their types, and the list of them all.
macro_rules! declare {
    ($($name:ident: $type:ty = $row:expr;)*) => {
        $(pub(crate) static $name: crate::table::Typed<$type> = $row;)*
        /// The rows above.
        pub(super) static ROWS: &[&dyn crate::table::Row] = &[$(&$name),*];
    };
}
use declare;

#[cfg(test)]
mod tests;
