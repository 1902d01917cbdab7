//! The configuration: what programs there are, and in which of its versions.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::workload::Habit;

/// Programs of a kind among two hundred, and what their section says besides the command.
struct Kind {
    name: &'static str,
    share: usize,
    options: &'static str,
    /// Whether its output is accounted for.
    logs: Logs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Logs {
    /// Rotated by the daemon, with as many backups as it takes to keep everything.
    Rotated(&'static str),
    /// Moved away by others, who then send SIGUSR2.
    Moved,
    /// The daemon's own choice.
    Auto,
}

const KINDS: [Kind; 10] = [
    kind("steady", 46, "", Logs::Rotated("64KB")),
    kind("loose", 10, "", Logs::Moved),
    kind("storm", 4, "", Logs::Rotated("4MB")),
    kind("crash", 30, "", Logs::Rotated("128KB")),
    kind(
        "brief",
        16,
        "autorestart=unexpected\nexitcodes=0,3\n",
        Logs::Rotated("64KB"),
    ),
    kind(
        "failing",
        4,
        "autostart=false\nstartsecs=1\nstartretries=2\n",
        Logs::Rotated("64KB"),
    ),
    kind(
        "sender",
        16,
        "stdout_capture_maxbytes=4KB\n",
        Logs::Rotated("64KB"),
    ),
    kind("parent", 10, "", Logs::Rotated("64KB")),
    kind("echo", 6, "", Logs::Rotated("64KB")),
    kind("idle", 36, "", Logs::Auto),
];

const DEAF: usize = 6;

/// Programs whose sections change by and by, and how many more come and go.
pub(crate) const CHANGING: usize = 10;
pub(crate) const EXTRAS: usize = 10;

const fn kind(name: &'static str, share: usize, options: &'static str, logs: Logs) -> Kind {
    Kind {
        name,
        share,
        options,
        logs,
    }
}

/// A version of the configuration.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    scale: usize,
    /// How often each of the changing sections has been changed.
    pub(crate) revisions: [u64; CHANGING],
    /// Which of the others are there.
    pub(crate) extras: BTreeSet<usize>,
    /// How often everything has been restarted.
    pub(crate) epoch: u64,
}

impl Plan {
    /// The first version, for about so many programs.
    pub(crate) fn new(programs: usize) -> Self {
        Self {
            scale: programs,
            revisions: [0; CHANGING],
            extras: BTreeSet::new(),
            epoch: 0,
        }
    }

    fn count(&self, share: usize) -> usize {
        (share * self.scale).div_ceil(200)
    }

    /// The processes of a kind, as `group:process`.
    pub(crate) fn processes(&self, kind: &str) -> Vec<String> {
        let share = KINDS.iter().find(|known| known.name == kind);
        let share = share.map_or(DEAF, |kind| kind.share);
        let process = |number| format!("{kind}:{kind}_{number:02}");
        (0..self.count(share)).map(process).collect()
    }

    /// The groups that are brought to rest before things are counted: those that do something.
    pub(crate) fn restless(&self) -> Vec<String> {
        let kinds = KINDS.iter().map(|kind| kind.name.to_owned());
        kinds
            .filter(|kind| kind != "echo" && kind != "idle")
            .chain(self.changing())
            .collect()
    }

    /// All groups but the listeners'.
    pub(crate) fn groups(&self) -> BTreeSet<String> {
        let kinds = KINDS.iter().map(|kind| kind.name.to_owned());
        kinds
            .chain(["deaf".to_owned()])
            .chain(self.changing())
            .collect()
    }

    fn changing(&self) -> impl Iterator<Item = String> {
        let changing = (0..CHANGING).map(|number| format!("changing_{number:02}"));
        changing.chain(
            self.extras
                .iter()
                .map(|number| format!("extra_{number:02}")),
        )
    }

    /// The processes of a pool.
    pub(crate) const fn listeners(habit: Habit) -> usize {
        match habit {
            Habit::Careful => 2,
            Habit::Mortal => 3,
            Habit::Slow => 1,
        }
    }

    /// The text of the sections.
    pub(crate) fn render(&self) -> String {
        let mut text = String::from(
            "[supervisord]\nloglevel=info\nlogfile_maxbytes=200MB\nminfds=4096\n\
             [inet_http_server]\nport=127.0.0.1:%(ENV_TEST_PORT)s\n",
        );
        for kind in KINDS {
            section(
                &mut text,
                kind.name,
                self.count(kind.share),
                kind.name,
                kind.options,
                kind.logs,
            );
        }
        let deaf = "stopwaitsecs=1\n";
        section(&mut text, "deaf", self.count(DEAF), "", deaf, Logs::Auto);
        for (number, revision) in self.revisions.iter().enumerate() {
            let options = format!("environment=REVISION=\"{revision}\"\n");
            let name = format!("changing_{number:02}");
            section(
                &mut text,
                &name,
                1,
                "steady",
                &options,
                Logs::Rotated("64KB"),
            );
        }
        for number in &self.extras {
            let name = format!("extra_{number:02}");
            section(&mut text, &name, 1, "steady", "", Logs::Rotated("64KB"));
        }
        for habit in Habit::ALL {
            self.pool(&mut text, habit);
        }
        text
    }

    fn pool(&self, text: &mut String, habit: Habit) {
        let (pool, epoch, count) = (habit.pool(), self.epoch, Self::listeners(habit));
        let options = match habit {
            Habit::Careful => {
                "events=PROCESS_STATE,PROCESS_COMMUNICATION,PROCESS_GROUP,REMOTE_COMMUNICATION,SUPERVISOR_STATE_CHANGE,TICK\n\
                 buffer_file=%(here)s/durable.events"
            }
            Habit::Mortal => {
                "events=PROCESS_STATE,PROCESS_COMMUNICATION,REMOTE_COMMUNICATION,TICK_5"
            }
            Habit::Slow => "events=PROCESS_STATE_EXITED,PROCESS_STATE_FATAL,PROCESS_STATE_STOPPED",
        };
        // A String takes anything.
        let _ = writeln!(
            text,
            "[eventlistener:{pool}]\ncommand=%(here)s/soak workload listen {pool} {epoch} {pool}\n\
             process_name=%(program_name)s_%(process_num)02d\nnumprocs={count}\n{options}\n\
             startsecs=0\nautorestart=true\nstderr_logfile=%(here)s/out/%(program_name)s_%(process_num)02d.err"
        );
    }
}

/// A program's section; without a command of its own it is one that does not hear SIGTERM.
fn section(text: &mut String, name: &str, count: usize, command: &str, options: &str, logs: Logs) {
    let command = match command {
        "" => "sh -c \"trap '' TERM; exec %(here)s/soak workload idle\"".to_owned(),
        "loose" => "%(here)s/soak workload steady".to_owned(),
        command => format!("%(here)s/soak workload {command}"),
    };
    let names = if count == 1 && name.contains('_') {
        "%(program_name)s"
    } else {
        "%(program_name)s_%(process_num)02d"
    };
    let own = |option: &str| options.contains(option);
    let defaults = [
        ("startsecs=", "startsecs=0\n"),
        ("autorestart=", "autorestart=true\n"),
    ];
    let defaults: String = defaults
        .iter()
        .filter(|(option, _)| !own(option))
        .map(|(_, line)| *line)
        .collect();
    let logs = match logs {
        Logs::Auto => String::new(),
        Logs::Moved => log_options(names, "0", 0),
        Logs::Rotated(size) => log_options(names, size, BACKUPS),
    };
    // A String takes anything.
    let _ = write!(
        text,
        "[program:{name}]\ncommand={command}\nprocess_name={names}\nnumprocs={count}\n{options}{defaults}{logs}"
    );
}

/// Backups of each log: more than there will be.
pub(crate) const BACKUPS: usize = 300;

fn log_options(names: &str, maxbytes: &str, backups: usize) -> String {
    ["stdout", "stderr"]
        .map(|channel| {
            let suffix = &channel[3..];
            format!(
                "{channel}_logfile=%(here)s/out/{names}.{suffix}\n\
                 {channel}_logfile_maxbytes={maxbytes}\n{channel}_logfile_backups={backups}\n"
            )
        })
        .concat()
}
