use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use nix::sys::signal::{SigHandler, Signal, signal};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{Uid, User, getuid};

use super::*;
use crate::sys::identity::identity_of;
use crate::sys::testing::in_own_process;

/// A plan in owned pieces, to be changed at will.
struct Case {
    executable: CString,
    argv: Vec<CString>,
    envp: Vec<CString>,
    identity: Option<Identity>,
    directory: Option<CString>,
    umask: Option<u32>,
}

impl Case {
    fn of(argv: &[&str]) -> Self {
        Self {
            executable: c(argv[0]),
            argv: argv.iter().map(|word| c(word)).collect(),
            envp: vec![c("COLOUR=green")],
            identity: None,
            directory: None,
            umask: None,
        }
    }

    fn shell(script: &str) -> Self {
        Self::of(&["/bin/sh", "-c", script])
    }

    /// Runs to the end with stdout and stderr on one pipe; exit code and output.
    fn run(&self) -> (i32, String) {
        let (ours, theirs) = nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC).unwrap();
        let null: OwnedFd = File::open("/dev/null").unwrap().into();
        let plan = LaunchPlan {
            executable: &self.executable,
            argv: &self.argv,
            envp: &self.envp,
            stdin: null.as_fd(),
            stdout: theirs.as_fd(),
            stderr: theirs.as_fd(),
            identity: self.identity.as_ref(),
            directory: self.directory.as_deref(),
            umask: self.umask,
        };
        let pid = spawn(&plan).unwrap();
        drop(theirs);
        let code = match waitpid(pid, None).unwrap() {
            WaitStatus::Exited(_, code) => code,
            other => panic!("{other:?}"),
        };
        let mut text = String::new();
        File::from(ours).read_to_string(&mut text).unwrap();
        (code, text)
    }
}

fn c(text: &str) -> CString {
    CString::new(text).unwrap()
}

#[test]
fn the_program_gets_arguments_environment_and_its_own_group() {
    let script = r#"read pid comm state ppid group rest </proc/$$/stat; test $group = $$ && echo "$0 $1 $COLOUR""#;
    let case = Case::of(&["/bin/sh", "-c", script, "zero", "o n e"]);
    assert_eq!(case.run(), (0, "zero o n e green\n".into()));
}

#[test]
fn directory_and_umask_apply() {
    let mut case = Case::shell("pwd; umask");
    case.directory = Some(c("/"));
    case.umask = Some(0o027);
    assert_eq!(case.run(), (0, "/\n0027\n".into()));
}

#[test]
fn failures_are_told_on_stderr_in_supervisors_words() {
    let script = tempfile::NamedTempFile::new().unwrap().into_temp_path();
    std::fs::write(&script, "echo no interpreter line\n").unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&script, mode).unwrap();
    let script = script.to_str().unwrap();
    let mut lost = Case::of(&["/bin/true"]);
    lost.directory = Some(c("/no/such"));
    let mut stranger = Case::of(&["/bin/true"]);
    stranger.identity = Some(identity_of(Uid::from_raw(4_000_123)));
    let rows = [
        (Case::of(&["/no/such"]), "exec /no/such: ENOENT".to_owned()),
        (
            Case::of(&["/etc/passwd"]),
            "exec /etc/passwd: EACCES".to_owned(),
        ),
        (Case::of(&[script]), format!("exec {script}: ENOEXEC")),
        (lost, "chdir to /no/such: ENOENT".to_owned()),
        (
            stranger,
            "setuid to 4000123: Can't find uid 4000123".to_owned(),
        ),
    ];
    for (case, text) in rows {
        let expected =
            format!("supervisor: couldn't {text}\nsupervisor: child process was not spawned\n");
        assert_eq!(case.run(), (i32::from(NOT_SPAWNED), expected));
    }
}

#[test]
fn the_word_of_the_command_is_named_not_the_file_it_was_found_at() {
    let mut case = Case::of(&["/etc/passwd"]);
    case.argv = vec![c("passwd")];
    assert!(
        case.run()
            .1
            .starts_with("supervisor: couldn't exec passwd: EACCES\n")
    );
}

#[test]
fn a_monstrous_path_does_not_block_us() {
    let mut case = Case::of(&["/bin/true"]);
    case.directory = Some(c(&"/x".repeat(100_000)));
    let (code, text) = case.run();
    assert_eq!(code, 127);
    assert!(text.len() < 20_000 && text.ends_with("not spawned\n"));
}

#[test]
fn signals_start_afresh() {
    in_own_process("sys::spawn::tests::signals_start_afresh", || {
        // SAFETY: ignoring a signal runs no code.
        unsafe { signal(Signal::SIGUSR1, SigHandler::SigIgn).unwrap() };
        let blocked = SigSet::from(Signal::SIGUSR2);
        blocked.thread_block().unwrap();
        let (code, text) =
            Case::of(&["/bin/grep", "-E", "Sig(Blk|Ign|Cgt)", "/proc/self/status"]).run();
        assert_eq!(code, 0);
        assert!(text.contains("SigBlk:\t0000000000000000"), "{text}");
        assert!(text.contains("SigIgn:\t0000000000000000"), "{text}");
        let mask = SigSet::thread_get_mask().unwrap();
        assert!(
            mask.contains(Signal::SIGUSR2) && !mask.contains(Signal::SIGTERM),
            "ours is kept"
        );
    });
}

#[test]
fn nothing_but_the_standard_descriptors_is_inherited() {
    let leaked = File::open("/dev/null").unwrap();
    nix::fcntl::fcntl(&leaked, nix::fcntl::F_SETFD(nix::fcntl::FdFlag::empty())).unwrap();
    let (_, text) = Case::of(&["/bin/ls", "/proc/self/fd"]).run();
    // The last one is ls's own view of the directory.
    assert_eq!(text, "0\n1\n2\n3\n", "{} stays here", leaked.as_raw_fd());
}

#[test]
fn sources_among_the_standard_descriptors_are_not_trampled_on() {
    in_own_process(
        "sys::spawn::tests::sources_among_the_standard_descriptors_are_not_trampled_on",
        || {
            // What becomes 0, 1, 2 in the child is 2, 0, 1 here.
            let directory = tempfile::tempdir().unwrap();
            let path = |name: &str| directory.path().join(name);
            std::fs::write(path("in"), "question").unwrap();
            let open = |name: &str| {
                File::options()
                    .create(true)
                    .append(true)
                    .read(true)
                    .open(path(name))
                    .unwrap()
            };
            nix::unistd::dup2_stderr(open("in")).unwrap();
            nix::unistd::dup2_stdin(open("out")).unwrap();
            let stdout = nix::unistd::dup(std::io::stdout()).unwrap();
            nix::unistd::dup2_stdout(open("err")).unwrap();
            let argv = [c("/bin/sh"), c("-c"), c("cat; echo oops >&2")];
            let (input, output, error) = (std::io::stderr(), std::io::stdin(), std::io::stdout());
            let plan = LaunchPlan {
                executable: &argv[0],
                argv: &argv,
                envp: &[c("PATH=/bin:/usr/bin")],
                stdin: input.as_fd(),
                stdout: output.as_fd(),
                stderr: error.as_fd(),
                identity: None,
                directory: None,
                umask: None,
            };
            let pid = spawn(&plan).unwrap();
            nix::unistd::dup2_stdout(&stdout).unwrap();
            assert!(matches!(
                waitpid(pid, None).unwrap(),
                WaitStatus::Exited(_, 0)
            ));
            assert_eq!(std::fs::read_to_string(path("out")).unwrap(), "question");
            assert_eq!(std::fs::read_to_string(path("err")).unwrap(), "oops\n");
        },
    );
}

#[test]
fn root_starts_a_process_as_another_user_with_its_groups() {
    if !getuid().is_root() {
        return;
    }
    let nobody = User::from_uid(Uid::from_raw(65534)).unwrap().unwrap();
    let mut case = Case::shell("id -u; id -g; id -G");
    case.envp.push(c("PATH=/bin:/usr/bin"));
    case.identity = Some(identity_of(nobody.uid));
    let (uid, gid) = (nobody.uid, nobody.gid);
    assert_eq!(case.run(), (0, format!("{uid}\n{gid}\n{gid}\n")));
    assert!(getuid().is_root());
}

#[test]
fn others_may_start_processes_only_as_themselves() {
    in_own_process(
        "sys::spawn::tests::others_may_start_processes_only_as_themselves",
        || {
            if getuid().is_root() {
                nix::unistd::setuid(65534.into()).unwrap();
            }
            let mut case = Case::of(&["/bin/true"]);
            case.identity = Some(identity_of(getuid()));
            assert_eq!(case.run(), (0, String::new()));
            case.identity = Some(identity_of(0.into()));
            let expected = "supervisor: couldn't setuid to 0: Can't drop privilege as nonroot user\n\
                        supervisor: child process was not spawned\n";
            assert_eq!(case.run(), (127, expected.into()));
        },
    );
}

#[test]
fn a_full_process_table_is_an_error_of_ours() {
    in_own_process(
        "sys::spawn::tests::a_full_process_table_is_an_error_of_ours",
        || {
            if getuid().is_root() {
                nix::unistd::setuid(65534.into()).unwrap();
            }
            nix::sys::resource::setrlimit(nix::sys::resource::Resource::RLIMIT_NPROC, 0, 0)
                .unwrap();
            let null: OwnedFd = File::open("/dev/null").unwrap().into();
            let argv = [c("/bin/true")];
            let plan = LaunchPlan {
                executable: &argv[0],
                argv: &argv,
                envp: &[],
                stdin: null.as_fd(),
                stdout: null.as_fd(),
                stderr: null.as_fd(),
                identity: None,
                directory: None,
                umask: None,
            };
            let error = spawn(&plan).unwrap_err();
            assert_eq!(
                error.describe("web"),
                "Too many processes in process table to spawn 'web'"
            );
        },
    );
    assert_eq!(
        SpawnError(Errno::ENOMEM).describe("web"),
        "unknown error during fork for 'web': ENOMEM"
    );
}
