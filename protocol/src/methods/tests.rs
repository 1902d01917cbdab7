use std::collections::HashSet;
use std::path::Path;
use std::{env, fs};

use super::*;

fn full_names() -> Vec<String> {
    let of = |namespace: Namespace| {
        names(namespace).map(move |name| format!("{}.{name}", namespace.name()))
    };
    let mut names: Vec<_> = of(Namespace::Supervisor)
        .chain(of(Namespace::System))
        .chain(of(Namespace::Callboard))
        .collect();
    names.sort_unstable();
    names
}

/// What Supervisor 4.3.0 answers to `system.listMethods`.
const LISTED: [&str; 41] = [
    "supervisor.addProcessGroup",
    "supervisor.clearAllProcessLogs",
    "supervisor.clearLog",
    "supervisor.clearProcessLog",
    "supervisor.clearProcessLogs",
    "supervisor.getAPIVersion",
    "supervisor.getAllConfigInfo",
    "supervisor.getAllProcessInfo",
    "supervisor.getIdentification",
    "supervisor.getPID",
    "supervisor.getProcessInfo",
    "supervisor.getState",
    "supervisor.getSupervisorVersion",
    "supervisor.getVersion",
    "supervisor.readLog",
    "supervisor.readMainLog",
    "supervisor.readProcessLog",
    "supervisor.readProcessStderrLog",
    "supervisor.readProcessStdoutLog",
    "supervisor.reloadConfig",
    "supervisor.removeProcessGroup",
    "supervisor.restart",
    "supervisor.sendProcessStdin",
    "supervisor.sendRemoteCommEvent",
    "supervisor.shutdown",
    "supervisor.signalAllProcesses",
    "supervisor.signalProcess",
    "supervisor.signalProcessGroup",
    "supervisor.startAllProcesses",
    "supervisor.startProcess",
    "supervisor.startProcessGroup",
    "supervisor.stopAllProcesses",
    "supervisor.stopProcess",
    "supervisor.stopProcessGroup",
    "supervisor.tailProcessLog",
    "supervisor.tailProcessStderrLog",
    "supervisor.tailProcessStdoutLog",
    "system.listMethods",
    "system.methodHelp",
    "system.methodSignature",
    "system.multicall",
];

/// What there is besides.
const EXTENSIONS: [&str; 4] = [
    "callboard.getAllEventPoolInfo",
    "callboard.getEventPoolInfo",
    "callboard.getLastUpgrade",
    "callboard.upgrade",
];

#[test]
fn the_names_are_those_of_supervisor_and_a_few() {
    let mut names: Vec<_> = LISTED.into_iter().chain(EXTENSIONS).collect();
    names.sort_unstable();
    assert_eq!(full_names(), names);
}

#[test]
fn names_lead_to_their_row() {
    for spec in Method::TABLE {
        for name in spec.names {
            assert_eq!(
                Method::find(spec.namespace, name),
                Some(spec.method),
                "{name}"
            );
        }
        assert_eq!(spec.method.spec().names, spec.names);
        assert_eq!(
            Method::from_name(&spec.method.full_name()),
            Some(spec.method)
        );
    }
    for unknown in [
        "",
        "getState",
        "supervisor.",
        "supervisor.getstate",
        "system.getState",
        "a.getState",
    ] {
        assert_eq!(Method::from_name(unknown), None, "{unknown}");
    }
}

#[test]
fn rows_are_complete() {
    let mut seen = HashSet::new();
    for spec in Method::TABLE {
        let name = spec.method.full_name();
        assert!(
            spec.names
                .iter()
                .all(|name| seen.insert((spec.namespace.name(), *name))),
            "{name} is there twice"
        );
        assert!(
            !spec.summary.contains('\n') && spec.summary.ends_with('.'),
            "{name}"
        );
        assert!(
            spec.params.is_sorted_by_key(|param| param.optional),
            "{name}"
        );
        let docs = spec
            .params
            .iter()
            .map(|param| param.doc)
            .chain([spec.result.doc]);
        assert!(
            docs.into_iter()
                .all(|doc| !doc.is_empty() && !doc.contains(['\n', '@'])),
            "{name}"
        );
        assert!(
            spec.faults.iter().all(|fault| *fault != FaultCode::Success),
            "{name}"
        );
    }
}

#[test]
fn signatures_are_those_of_supervisor() {
    let rows = [
        ("supervisor.startProcess", "boolean string boolean"),
        ("supervisor.startProcessGroup", "array string boolean"),
        ("supervisor.startAllProcesses", "array boolean"),
        ("supervisor.stopAllProcesses", "array boolean"),
        ("supervisor.signalProcess", "boolean string string"),
        ("supervisor.signalAllProcesses", "array string"),
        ("supervisor.readProcessLog", "string string int int"),
        ("supervisor.tailProcessStderrLog", "array string int int"),
        ("supervisor.readLog", "string int int"),
        ("supervisor.clearLog", "boolean"),
        ("supervisor.clearAllProcessLogs", "array"),
        ("supervisor.getPID", "int"),
        ("supervisor.getState", "struct"),
        ("supervisor.getProcessInfo", "struct string"),
        ("supervisor.getAllConfigInfo", "array"),
        ("supervisor.reloadConfig", "array"),
        ("supervisor.removeProcessGroup", "boolean string"),
        ("supervisor.sendRemoteCommEvent", "boolean string string"),
        ("system.listMethods", "array"),
        ("system.methodHelp", "string string"),
        ("system.methodSignature", "array string"),
        ("system.multicall", "array array"),
    ];
    for (name, signature) in rows {
        let method = Method::from_name(name).unwrap();
        assert_eq!(
            method.signature().collect::<Vec<_>>().join(" "),
            signature,
            "{name}"
        );
    }
}

#[test]
fn helps_have_a_line_per_parameter_and_one_for_the_result() {
    let help = Method::StartProcess.help();
    let tags: Vec<_> = help
        .lines()
        .skip(2)
        .map(|line| line.split(' ').take(3).collect::<Vec<_>>())
        .collect();
    assert_eq!(
        tags,
        [
            ["@param", "string", "name"],
            ["@param", "boolean", "wait"],
            ["@return", "boolean", "result"]
        ]
    );
    for spec in Method::TABLE {
        let help = spec.method.help();
        assert_eq!(help.lines().next(), Some(spec.summary));
        assert_eq!(help.matches("@param ").count(), spec.params.len());
        assert_eq!(help.matches("@return ").count(), 1);
    }
}

#[test]
fn optional_parameters_may_be_left_out() {
    let rows = [
        (Method::StartProcess, [false, true, true, false]),
        (Method::StopAllProcesses, [true, true, false, false]),
        (Method::GetState, [true, false, false, false]),
    ];
    for (method, taken) in rows {
        for (count, taken) in taken.into_iter().enumerate() {
            assert_eq!(method.takes(count), taken, "{method:?} with {count}");
        }
    }
}

/// `UPDATE_DOCS=1` writes the page instead.
#[test]
fn the_reference_page_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/xmlrpc.md");
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, reference()).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap();
    assert!(
        committed == reference(),
        "docs/xmlrpc.md is out of date: run the tests with UPDATE_DOCS=1"
    );
}
