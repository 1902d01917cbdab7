//! The reference page, as Markdown.

use std::fmt::Write as _;

use super::{COMMON_FAULTS, Method, Namespace, Spec};
use crate::faults::FaultCode;

const INTRODUCTION: &str = "\
# XML-RPC reference

<!-- Generated from protocol/src/methods/table.rs; `UPDATE_DOCS=1 cargo test -p callboard-protocol` writes it anew. -->

Requests are posted to `/RPC2` of every HTTP server section, over TCP or a Unix socket. The methods of the namespace
`supervisor` are there if the configuration has a section

```ini
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
```

A process is named `group:name`, or just `name` where both are the same. Where it is said so, `group:*` (or `group:`)
means every process of the group.

Arguments are typed loosely: an `int` may be sent as a numeric `string`, a `boolean` as an `int`.

Methods that act on several processes answer with an array of structs, one for each process that was acted on:
`name`, `group`, `status` (80, or the number of a fault) and `description` (`OK`, or the text of the fault).

";

const EXTENSIONS: &str = "\
What Supervisor does not have. These are there if the methods of `supervisor` are, answer to the same rules, and are \
not in `system.listMethods`, so that its answer is the original's.

";

/// The whole page.
pub fn reference() -> String {
    let mut page = String::from(INTRODUCTION);
    faults(&mut page);
    for (namespace, note) in [
        (Namespace::Supervisor, common_faults()),
        (Namespace::System, String::new()),
        (Namespace::Callboard, EXTENSIONS.to_owned()),
    ] {
        let _ = write!(page, "## {}\n\n{note}", namespace.name());
        let specs = Method::TABLE
            .iter()
            .filter(|spec| spec.namespace == namespace);
        specs.for_each(|spec| method(&mut page, spec));
    }
    page.truncate(page.trim_end().len());
    page.push('\n');
    page
}

fn faults(page: &mut String) {
    page.push_str(
        "## Faults\n\nA fault's text is its name, often followed by `: ` and what it is about.\n\n",
    );
    page.push_str("| Number | Name |\n|---|---|\n");
    for fault in FaultCode::ALL {
        let _ = writeln!(page, "| {} | `{}` |", fault.code(), fault.name());
    }
    page.push_str("\n`SUCCESS` is never a fault, only a `status`.\n\n");
}

fn common_faults() -> String {
    let [incorrect, shutdown] = COMMON_FAULTS.map(FaultCode::name);
    let exempt = Method::SendRemoteCommEvent.spec().names[0];
    format!(
        "Every method answers `{incorrect}` to arguments of a wrong number or type, and, `{exempt}` excepted, \
         `{shutdown}` once a shutdown or restart has been asked for.\n\n"
    )
}

fn method(page: &mut String, spec: &Spec) {
    let [name, aliases @ ..] = spec.names else {
        return;
    };
    let params: Vec<_> = spec.params.iter().map(|param| param.name).collect();
    let _ = write!(
        page,
        "### {name}({})\n\n{}\n\n",
        params.join(", "),
        spec.summary
    );
    for param in spec.params {
        let optional = if param.optional { ", optional" } else { "" };
        let _ = writeln!(
            page,
            "- `{}` ({}{optional}): {}",
            param.name,
            param.kind.name(),
            param.doc
        );
    }
    let _ = writeln!(
        page,
        "- Result ({}): {}",
        spec.result.kind.name(),
        spec.result.doc
    );
    list(page, "Faults", spec.faults.iter().map(|fault| fault.name()));
    list(page, "Aliases", aliases.iter().copied());
    page.push('\n');
}

fn list<'a>(page: &mut String, title: &str, items: impl Iterator<Item = &'a str>) {
    let items: Vec<_> = items.map(|item| format!("`{item}`")).collect();
    if !items.is_empty() {
        let _ = writeln!(page, "- {title}: {}", items.join(", "));
    }
}
