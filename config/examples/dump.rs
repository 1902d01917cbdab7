//! Prints what a configuration means, one `name = value` per line, for comparison with other
//! readers: `cargo run -p callboard-config --example dump -- -c FILE`, with any of supervisord's
//! options.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::process::ExitCode;

use config::cli::Invocation;
use config::model::{
    ChildLog, Config, Environment, FcgiAddress, GroupConfig, GroupKind, OutputConfig,
    ProcessConfig, ServerAddress, ServerConfig, UserConfig,
};
use config::python_repr;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().collect();
    let env: Environment = std::env::vars().collect();
    let config = match config::cli::parse(&args) {
        Ok(Invocation::Run(cmd)) => config::load(&cmd, &env).map_err(|error| error.to_string()),
        Ok(Invocation::Help(text)) => {
            print!("{text}");
            return ExitCode::SUCCESS;
        }
        Ok(Invocation::Version) => return ExitCode::SUCCESS,
        Ok(Invocation::Check { cmd, .. }) => {
            let report = config::check(&cmd, &env);
            print!("{report}");
            return ExitCode::from(if report.is_usable() { 0 } else { 2 });
        }
        Err(error) => Err(error.to_string()),
    };
    match config {
        Ok(config) => {
            print(&config);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("Error: {error}");
            ExitCode::from(2)
        }
    }
}

fn print(config: &Config) {
    print_daemon(config);
    for (at, server) in config.servers.iter().enumerate() {
        print_server(&format!("server {at}"), server);
    }
    println!("rpc_interfaces = {:?}", config.rpc_interfaces);
    for (at, group) in config.groups.iter().enumerate() {
        print_group(&format!("group {at}"), group);
    }
    for notice in &config.notices {
        println!("{:?} = {}", notice.level, python_repr(&notice.text));
    }
}

fn print_daemon(config: &Config) {
    let daemon = &config.daemon;
    println!("logfile = {:?}", daemon.logfile);
    println!("logfile_maxbytes = {}", daemon.logfile_maxbytes);
    println!("logfile_backups = {}", daemon.logfile_backups);
    println!("loglevel = {:?}", daemon.loglevel);
    println!("pidfile = {}", daemon.pidfile.display());
    println!("umask = {:04o}", daemon.umask);
    println!("directory = {:?}", daemon.directory);
    println!("nodaemon = {}", daemon.nodaemon);
    println!("silent = {}", daemon.silent);
    println!("minfds = {}", daemon.minfds);
    println!("minprocs = {}", daemon.minprocs);
    println!("user = {}", uid(daemon.user.as_ref()));
    println!("identifier = {}", python_repr(&daemon.identifier));
    println!("childlogdir = {}", daemon.childlogdir.display());
    println!("nocleanup = {}", daemon.nocleanup);
    println!("strip_ansi = {}", daemon.strip_ansi);
    println!("programs_on_death = {:?}", daemon.programs_on_death);
    println!("environment = {}", variables(&daemon.environment));
}

fn print_server(prefix: &str, server: &ServerConfig) {
    println!("{prefix} section = {}", server.section);
    match &server.address {
        ServerAddress::Inet { host, port } => println!("{prefix} inet = {host} {port}"),
        ServerAddress::Unix { path, mode, owner } => {
            println!("{prefix} unix = {} {mode:04o} {owner:?}", path.display());
        }
    }
    if let Some(credentials) = &server.credentials {
        println!("{prefix} username = {}", python_repr(&credentials.username));
        println!("{prefix} password = {}", python_repr(&credentials.password));
    }
}

fn print_group(prefix: &str, group: &GroupConfig) {
    println!("{prefix} name = {}", python_repr(&group.name));
    println!("{prefix} priority = {}", group.priority);
    if let GroupKind::Listeners(pool) = &group.kind {
        println!("{prefix} events = {}", pool.events.join(","));
        println!("{prefix} buffer_size = {:?}", pool.buffer_size);
        println!("{prefix} result_handler = {}", pool.result_handler);
    }
    for (at, process) in group.processes.iter().enumerate() {
        print_process(&format!("{prefix} process {at}"), process);
    }
}

fn print_process(prefix: &str, process: &ProcessConfig) {
    println!("{prefix} name = {}", python_repr(&process.name));
    println!("{prefix} command = {}", python_repr(&process.command));
    println!(
        "{prefix} directory = {}",
        text(process.directory.as_deref())
    );
    println!(
        "{prefix} umask = {}",
        process
            .umask
            .map_or("None".to_owned(), |umask| format!("{umask:04o}"))
    );
    println!("{prefix} priority = {}", process.priority);
    println!("{prefix} autostart = {}", process.autostart);
    println!("{prefix} autorestart = {:?}", process.autorestart);
    println!("{prefix} startsecs = {}", process.startsecs);
    println!("{prefix} startretries = {}", process.startretries);
    println!("{prefix} exitcodes = {:?}", process.exitcodes);
    println!("{prefix} stopsignal = {}", process.stopsignal.number());
    println!("{prefix} stopwaitsecs = {}", process.stopwaitsecs);
    println!("{prefix} stopasgroup = {}", process.stopasgroup);
    println!("{prefix} killasgroup = {}", process.killasgroup);
    println!("{prefix} user = {}", uid(process.user.as_ref()));
    println!("{prefix} redirect_stderr = {}", process.redirect_stderr);
    print_output(&format!("{prefix} stdout"), &process.stdout);
    print_output(&format!("{prefix} stderr"), &process.stderr);
    println!("{prefix} environment = {}", variables(&process.environment));
    println!(
        "{prefix} serverurl = {}",
        text(process.serverurl.as_deref())
    );
    println!("{prefix} is_listener = {}", process.is_listener);
    if let Some(socket) = &process.fcgi {
        println!("{prefix} backlog = {:?}", socket.backlog);
        match &socket.address {
            FcgiAddress::Unix { path, owner, mode } => {
                println!(
                    "{prefix} socket = unix://{} {owner:?} {mode:?}",
                    path.display()
                );
            }
            FcgiAddress::Tcp { host, port } => println!("{prefix} socket = tcp://{host}:{port}"),
        }
    }
}

fn print_output(prefix: &str, output: &OutputConfig) {
    let logfile = match &output.logfile {
        ChildLog::None => "None".to_owned(),
        ChildLog::Empty => "''".to_owned(),
        ChildLog::Auto => "AUTO".to_owned(),
        ChildLog::File(path) => python_repr(&path.to_string_lossy()),
    };
    println!("{prefix} logfile = {logfile}");
    println!("{prefix} maxbytes = {}", output.maxbytes);
    println!("{prefix} backups = {}", output.backups);
    println!("{prefix} capture_maxbytes = {}", output.capture_maxbytes);
    println!("{prefix} events_enabled = {}", output.events_enabled);
    println!("{prefix} syslog = {}", output.syslog);
}

fn text(text: Option<&str>) -> String {
    text.map_or_else(|| "None".to_owned(), python_repr)
}

fn uid(user: Option<&UserConfig>) -> String {
    user.map_or_else(|| "None".to_owned(), |user| user.uid.to_string())
}

fn variables(environment: &Environment) -> String {
    let pairs = environment
        .iter()
        .map(|(name, value)| format!("{}: {}", python_repr(name), python_repr(value)));
    format!("{{{}}}", pairs.collect::<Vec<_>>().join(", "))
}
