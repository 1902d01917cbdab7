"""What Supervisor makes of configurations: a JSON list of cases in, one of outcomes out.

    python originals.py CASES.json > OUTCOMES.json

A case has `dir`, `argv` (the program first), `env` and `client`: whether it is supervisorctl that reads it. Each is
read in a child of its own, since reading changes the process. Nothing is started and no socket is opened; groups are
made as a starting supervisord makes them.
"""

import io
import json
import os
import socket
import sys
import warnings

import supervisor.supervisord
from supervisor.datatypes import Automatic, RestartUnconditionally, RestartWhenExitUnexpected
from supervisor.events import EventTypes
from supervisor.loggers import getLevelNumByDescription
from supervisor.options import ClientOptions, EventListenerPoolConfig, FastCGIGroupConfig, ServerOptions
from supervisor.process import FastCGIProcessGroup, ProcessGroup
from supervisor.rpcinterface import SupervisorNamespaceRPCInterface
from supervisor.supervisord import Supervisor

LOG_LEVELS = {
    getLevelNumByDescription(name): name.capitalize()
    for name in ("critical", "error", "warn", "info", "debug", "trace", "blather")
}


def outcome(case):
    os.chdir(case["dir"])
    os.environ.clear()
    os.environ.update(case["env"])
    sys.argv = case["argv"]
    options = ClientOptions() if case["client"] else ServerOptions()
    options.stdout, options.stderr = io.StringIO(), io.StringIO()
    try:
        accepted = client if case["client"] else server
        return {"accepted": accepted(options, case["argv"])}
    except SystemExit as end:
        if end.code == 0:
            return {"printed": options.stdout.getvalue()}
        return {"refused": {"code": end.code, "text": options.stderr.getvalue()}}
    except Exception as error:
        return {"refused": {"code": 1, "text": "%s: %s" % (type(error).__name__, error)}}


def client(options, argv):
    options.realize(argv[1:], "", argv[0])
    names = "serverurl username password prompt history_file"
    return {"client": {name: getattr(options, name) for name in names.split()}}


def server(options, argv):
    options.realize(argv[1:], supervisor.supervisord.__doc__, argv[0])
    daemon = Supervisor(options)
    # Reads like the start of the HTTP servers, which comes later and with sockets.
    interfaces = []
    for name, factory, arguments in options.rpcinterface_factories:
        try:
            factory(daemon, **arguments)
        except Exception:
            options.usage("Could not make %s rpc interface" % name)
        interfaces.append(name)
    model = {
        "daemon": of_daemon(options),
        "servers": [of_server(server) for server in options.server_configs],
        "rpc_interfaces": interfaces,
        "groups": [of_group(group) for group in options.process_group_configs],
    }
    make_groups(daemon)
    rpc = SupervisorNamespaceRPCInterface(daemon)
    return {
        "model": model,
        "notices": options.parse_criticals + options.parse_warnings + options.parse_infos,
        "config_info": rpc.getAllConfigInfo(),
        "process_info": rpc.getAllProcessInfo(),
    }


class Silence:
    def __getattr__(self, _level):
        return lambda *_: None


def make_groups(daemon):
    daemon.options.logger = Silence()
    # An fcgi group opens its socket when it is made.
    FastCGIProcessGroup.__init__ = lambda group, config, **_: ProcessGroup.__init__(group, config)
    for config in daemon.options.process_group_configs:
        daemon.add_process_group(config)


def of_daemon(options):
    names = (
        "logfile logfile_maxbytes logfile_backups pidfile umask directory minfds minprocs identifier childlogdir"
    )
    values = {name: getattr(options, name) for name in names.split()}
    for flag in ("nodaemon", "silent", "nocleanup", "strip_ansi"):
        values[flag] = bool(getattr(options, flag))
    values["loglevel"] = LOG_LEVELS[options.loglevel]
    values["user"] = options.uid
    values["environment"] = options.configroot.supervisord.environment
    return values


def of_server(config):
    if config["family"] == socket.AF_UNIX:
        uid, gid = config["chown"]
        address = {"path": config["file"], "mode": config["chmod"], "owner": of_owner((uid, gid))}
    else:
        address = {"host": config["host"], "port": config["port"]}
    # An empty user name asks for no authentication.
    credentials = [config["username"], config["password"]] if config["username"] else None
    return {"section": config["section"], "address": address, "credentials": credentials}


def of_owner(owner):
    """User and group ids; -1 and a missing group are no change."""
    if owner is None or owner[0] == -1:
        return None
    uid, gid = owner
    return [uid, None if gid == -1 else gid]


def of_group(group):
    values = {
        "name": group.name,
        "priority": group.priority,
        "processes": [of_process(process) for process in group.process_configs],
        "pool": None,
        "socket": None,
    }
    if isinstance(group, EventListenerPoolConfig):
        values["pool"] = of_pool(group)
    if isinstance(group, FastCGIGroupConfig):
        values["socket"] = of_socket(group.socket_config)
    return values


def of_pool(group):
    names = [name for name in vars(EventTypes) if getattr(EventTypes, name) in group.pool_events]
    handler = group.result_handler
    return {
        "events": sorted(names),
        "buffer_size": group.buffer_size,
        "result_handler": "%s:%s" % (handler.__module__, handler.__name__),
    }


def of_socket(config):
    values = {"url": config.url, "backlog": config.get_backlog(), "owner": None, "mode": None}
    if config.url.startswith("unix:"):
        values["owner"] = of_owner(config.get_owner())
        values["mode"] = config.get_mode()
    return values


def of_process(process):
    names = (
        "name command directory umask priority autostart startsecs startretries exitcodes stopwaitsecs stopasgroup "
        "killasgroup redirect_stderr environment serverurl"
    )
    values = {name: getattr(process, name) for name in names.split()}
    values["autorestart"] = of_autorestart(process.autorestart)
    values["stopsignal"] = int(process.stopsignal)
    values["user"] = process.uid
    for channel in ("stdout", "stderr"):
        values[channel] = of_channel(process, channel)
    return values


def of_autorestart(value):
    return {RestartUnconditionally: "Always", RestartWhenExitUnexpected: "Unexpected"}.get(value, "Never")


def of_channel(process, channel):
    values = {
        name: getattr(process, "%s_%s" % (channel, name))
        for name in "logfile capture_maxbytes events_enabled syslog".split()
    }
    values["maxbytes"] = getattr(process, "%s_logfile_maxbytes" % channel)
    values["backups"] = getattr(process, "%s_logfile_backups" % channel)
    if values["logfile"] is Automatic:
        values["logfile"] = "AUTO"
    return values


def in_a_child(case):
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        with os.fdopen(writer, "w") as pipe:
            json.dump(outcome(case), pipe)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        text = pipe.read()
    os.waitpid(pid, 0)
    return json.loads(text)


def main():
    warnings.simplefilter("ignore")
    with open(sys.argv[1]) as cases:
        outcomes = [in_a_child(case) for case in json.load(cases)]
    json.dump(outcomes, sys.stdout)


if __name__ == "__main__":
    main()
