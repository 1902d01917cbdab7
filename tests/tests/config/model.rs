//! Our configuration in the form in which `originals.py` shows Supervisor's.

use config::model::{
    ActivityLog, AutoRestart, ChildLog, Config, Credentials, DaemonConfig, FcgiAddress, FcgiSocket,
    GroupConfig, GroupKind, OutputConfig, PoolConfig, ProcessConfig, ServerAddress, ServerConfig,
    UserConfig,
};
use nix::unistd::{Gid, Uid};
use serde_json::{Value, json};

/// Supervisor's default of `buffer_size`. Ours has none: without it the buffer is bounded by memory.
const BUFFER_SIZE: usize = 10;

/// All of a configuration except its notices.
pub(crate) fn shown(config: &Config) -> Value {
    json!({
        "daemon": daemon(&config.daemon),
        "servers": config.servers.iter().map(server).collect::<Vec<_>>(),
        "rpc_interfaces": config.rpc_interfaces,
        "groups": config.groups.iter().map(|found| group(found)).collect::<Vec<_>>(),
    })
}

fn daemon(daemon: &DaemonConfig) -> Value {
    json!({
        "logfile": match &daemon.logfile {
            ActivityLog::File(path) => json!(path),
            ActivityLog::Syslog => json!("syslog"),
        },
        "logfile_maxbytes": daemon.logfile_maxbytes,
        "logfile_backups": daemon.logfile_backups,
        "loglevel": format!("{:?}", daemon.loglevel),
        "pidfile": daemon.pidfile,
        "umask": daemon.umask,
        "directory": daemon.directory,
        "nodaemon": daemon.nodaemon,
        "silent": daemon.silent,
        "minfds": daemon.minfds,
        "minprocs": daemon.minprocs,
        "user": user(daemon.user.as_ref()),
        "identifier": daemon.identifier,
        "childlogdir": daemon.childlogdir,
        "nocleanup": daemon.nocleanup,
        "strip_ansi": daemon.strip_ansi,
        "environment": daemon.environment,
    })
}

fn server(server: &ServerConfig) -> Value {
    let address = match &server.address {
        ServerAddress::Inet { host, port } => json!({"host": host, "port": port}),
        ServerAddress::Unix {
            path,
            mode,
            owner: ids,
        } => {
            json!({"path": path, "mode": mode, "owner": owner(*ids)})
        }
    };
    let credentials =
        |Credentials { username, password }: &Credentials| json!([username, password]);
    json!({
        "section": server.section,
        "address": address,
        "credentials": server.credentials.as_ref().map(credentials),
    })
}

fn group(group: &GroupConfig) -> Value {
    // A `[group:x]` has no socket of its own, whatever its members have.
    let is_own = |process: &ProcessConfig| process.section.ends_with(&format!(":{}", group.name));
    let first = group.processes.first().filter(|process| is_own(process));
    let fcgi = first.and_then(|process| process.fcgi.as_deref());
    json!({
        "name": group.name,
        "priority": group.priority,
        "processes": group.processes.iter().map(|found| process(found)).collect::<Vec<_>>(),
        "pool": match &group.kind {
            GroupKind::Programs => Value::Null,
            GroupKind::Listeners(found) => pool(found),
        },
        "socket": fcgi.map(socket),
    })
}

fn pool(pool: &PoolConfig) -> Value {
    json!({
        "events": pool.events,
        "buffer_size": pool.buffer_size.unwrap_or(BUFFER_SIZE),
        "result_handler": pool.result_handler,
    })
}

fn socket(socket: &FcgiSocket) -> Value {
    let (url, ids, mode) = match &socket.address {
        FcgiAddress::Unix { path, owner, mode } => {
            (format!("unix://{}", path.display()), *owner, *mode)
        }
        FcgiAddress::Tcp { host, port } => (format!("tcp://{host}:{port}"), None, None),
    };
    json!({"url": url, "backlog": socket.backlog, "owner": owner(ids), "mode": mode})
}

fn process(process: &ProcessConfig) -> Value {
    json!({
        "name": process.name,
        "command": process.command,
        "directory": process.directory,
        "umask": process.umask,
        "priority": process.priority,
        "autostart": process.autostart,
        "autorestart": match process.autorestart {
            AutoRestart::Always => "Always",
            AutoRestart::Never => "Never",
            AutoRestart::Unexpected => "Unexpected",
        },
        "startsecs": process.startsecs,
        "startretries": process.startretries,
        "exitcodes": process.exitcodes,
        "stopsignal": process.stopsignal.number(),
        "stopwaitsecs": process.stopwaitsecs,
        "stopasgroup": process.stopasgroup,
        "killasgroup": process.killasgroup,
        "user": user(process.user.as_ref()),
        "redirect_stderr": process.redirect_stderr,
        "stdout": channel(&process.stdout),
        "stderr": channel(&process.stderr),
        "environment": process.environment,
        "serverurl": process.serverurl,
    })
}

fn channel(output: &OutputConfig) -> Value {
    json!({
        "logfile": match &output.logfile {
            ChildLog::None => Value::Null,
            ChildLog::Empty => json!(""),
            ChildLog::Auto => json!("AUTO"),
            ChildLog::File(path) => json!(path),
        },
        "maxbytes": output.maxbytes,
        "backups": output.backups,
        "capture_maxbytes": output.capture_maxbytes,
        "events_enabled": output.events_enabled,
        "syslog": output.syslog,
    })
}

fn user(user: Option<&UserConfig>) -> Value {
    json!(user.map(|user| user.uid.as_raw()))
}

fn owner(owner: Option<(Uid, Option<Gid>)>) -> Value {
    json!(owner.map(|(uid, gid)| json!([uid.as_raw(), gid.map(Gid::as_raw)])))
}
