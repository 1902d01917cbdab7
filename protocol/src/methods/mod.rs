//! The methods of the XML-RPC interface, declared once in a table.
//!
//! From the table come [`Method`], which the daemon matches exhaustively, the answers of `system.listMethods`,
//! `system.methodHelp` and `system.methodSignature`, and the reference page.

mod help;
mod reference;
mod table;
#[cfg(test)]
mod tests;

use crate::faults::FaultCode;

pub use reference::reference;
pub use table::Method;

/// The first part of a method's full name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Namespace {
    /// `supervisor`, or whatever the `[rpcinterface:*]` section is called.
    Supervisor,
    /// `system`: introspection and multicall, always there.
    System,
    /// `callboard`: what Supervisor does not have, there if its own methods are. Not in
    /// `system.listMethods`, whose answer is compared by clients' tests.
    Callboard,
}

impl Namespace {
    /// The usual name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Supervisor => "supervisor",
            Self::System => "system",
            Self::Callboard => "callboard",
        }
    }
}

/// A row of the table.
#[derive(Debug)]
pub struct Spec {
    /// Which method.
    pub method: Method,
    /// Where it is published.
    pub namespace: Namespace,
    /// Its name without the namespace, then its aliases.
    pub names: &'static [&'static str],
    /// What it does, in one line.
    pub summary: &'static str,
    /// What it takes, in order. Optional parameters come last.
    pub params: &'static [Param],
    /// What it answers.
    pub result: Outcome,
    /// The faults it may answer with, apart from [`COMMON_FAULTS`].
    pub faults: &'static [FaultCode],
}

/// Faults that every method of the namespace `supervisor` may answer with (one is exempt from the second).
pub const COMMON_FAULTS: [FaultCode; 2] =
    [FaultCode::IncorrectParameters, FaultCode::ShutdownState];

/// A parameter.
#[derive(Debug)]
pub struct Param {
    /// Its name, for documentation; arguments go by position.
    pub name: &'static str,
    /// The documented type.
    pub kind: Type,
    /// Whether it may be left out.
    pub optional: bool,
    /// What it means.
    pub doc: &'static str,
}

/// What a method answers.
#[derive(Debug)]
pub struct Outcome {
    /// The documented type.
    pub kind: Type,
    /// What it means.
    pub doc: &'static str,
}

/// A documented type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// `boolean`
    Boolean,
    /// `int`
    Int,
    /// `string`
    String,
    /// `array`
    Array,
    /// `struct`
    Struct,
}

impl Type {
    /// The name signatures use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Boolean => "boolean",
            Self::Int => "int",
            Self::String => "string",
            Self::Array => "array",
            Self::Struct => "struct",
        }
    }
}

impl Method {
    /// The method of this full name under the usual namespaces, an alias included.
    pub fn from_name(full: &str) -> Option<Self> {
        let (namespace, name) = full.split_once('.')?;
        let namespaces = [
            Namespace::Supervisor,
            Namespace::System,
            Namespace::Callboard,
        ];
        let namespace = namespaces
            .into_iter()
            .find(|known| known.name() == namespace)?;
        Self::find(namespace, name)
    }

    /// Its full name under the usual namespace.
    pub fn full_name(self) -> String {
        let spec = self.spec();
        format!("{}.{}", spec.namespace.name(), spec.names[0])
    }

    /// Whether it answers while the daemon is about to shut down or restart.
    pub fn works_in_shutdown(self) -> bool {
        self.spec().namespace == Namespace::System || self == Self::SendRemoteCommEvent
    }

    /// Whether it can be called with so many arguments.
    pub fn takes(self, arguments: usize) -> bool {
        let params = self.spec().params;
        let required = params.iter().filter(|param| !param.optional).count();
        (required..=params.len()).contains(&arguments)
    }
}

/// The names of a namespace without the namespace, aliases included.
pub fn names(namespace: Namespace) -> impl Iterator<Item = &'static str> {
    let specs = Method::TABLE
        .iter()
        .filter(move |spec| spec.namespace == namespace);
    specs.flat_map(|spec| spec.names.iter().copied())
}
